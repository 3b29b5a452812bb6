import type { JailTrace, LineExplanation, Nearest, Step } from '../explaining/line-explanation.ts'
import { printable, quote } from '../errors.ts'
import { styled } from './output.ts'

/** Units shown on either side of the place where a pattern and a line part. */
const shownAround = 60

/** An explanation as people read it: the cause in a sentence, then the way of the line. `many`: one of several lines. */
export function lineText(explanation: LineExplanation, many: boolean): string {
  const { verdict, jail, jails, line, hints } = explanation
  const chosen = jails.find((each) => each.jail === jail) ?? jails[0]
  const others = jails.filter((each) => each !== chosen)
  return [
    ...(many ? [styled('dim', line)] : []),
    styled('bold', verdict),
    ...(chosen === undefined ? [] : ['', ...jailLines(chosen)]),
    ...(others.length === 0 ? [] : ['', ...others.map((each) => `${styled('dim', `${each.jail}:`)} ${each.verdict}`)]),
    ...hints.map((hint) => `  ${hint}`),
  ].join('\n')
}

function jailLines({ jail, state, filter, steps, rule, nearest }: JailTrace): string[] {
  const how = state === 'on' ? '' : state === 'off' ? ', off' : ', observes only'
  const width = Math.max(0, ...steps.map(({ step }) => step.length))
  return [
    `${jail} (filter ${filter}${how})`,
    ...steps.map((step) => `  ${mark(step)} ${step.step.padEnd(width)}  ${step.detail}`),
    ...(rule === null ? [] : [`    ${'rule'.padEnd(width)}  ${printable(rule)}`]),
    ...(nearest === null ? [] : ['', ...nearestLines(nearest)]),
  ]
}

function mark({ ok }: Step): string {
  return ok === null ? styled('dim', '·') : ok ? styled('green', '✓') : styled('red', '✗')
}

function nearestLines({ rule, place, pattern, patternSpan, text, textAt, somewhere }: Nearest): string[] {
  const missing = printable(pattern.slice(patternSpan.start, patternSpan.end))
  const found = somewhere
    ? 'from there on the line has nothing for it'
    : `the line has ${quote(text.slice(textAt, textAt + missing.length + 8))}`
  return [
    `  The nearest is ${rule === null ? 'prefregex' : `failregex ${rule}`} (${printable(place)}). Where it has ${quote(missing)}, ${found}:`,
    ...pointed(
      '    pattern  ',
      printable(pattern),
      printable(pattern.slice(0, patternSpan.start)).length,
      missing.length,
    ),
    ...pointed('    line     ', text, textAt, 1),
  ]
}

/** A text and, below it, carets at a place; of a long text the part around it. */
function pointed(head: string, text: string, at: number, length: number): string[] {
  const from = Math.max(0, at - shownAround)
  const to = Math.min(text.length, at + Math.max(length, 1) + shownAround)
  const shown = `${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''}`
  const column = head.length + (from > 0 ? 1 : 0) + at - from
  return [`${head}${shown}`, `${' '.repeat(column)}${styled('red', '^'.repeat(Math.max(1, Math.min(length, 40))))}`]
}

/** The way of a line through a matcher in WebAssembly: it tells what it finds, and not why. */
import { printable, quote } from '../errors.ts'
import type { MatcherModule } from '../plugin.ts'
import type { Candidate } from './candidate.ts'
import type { Step } from './line-explanation.ts'
import type { AskedLine, Traced } from './line-trace.ts'
import type { Trials } from './trials.ts'

export function traceModuleLine(
  { jail, filter }: Candidate,
  module: MatcherModule,
  { bytes, place }: AskedLine,
  trials: Trials,
): Traced {
  const { matches, skipped, slow } = trials.scan(filter, bytes, place)
  const match = matches[0] === undefined ? null : { ...matches[0], jail }
  const [failure] = slow.flatMap((one) => one.failure ?? [])
  const line: Step = { step: 'line', ok: null, detail: `${bytes.length} bytes` }
  const ended = (step: Pick<Step, 'ok' | 'detail'>, end: Pick<Traced, 'cause' | 'verdict'>): Traced => ({
    match,
    ...end,
    steps: [line, { step: 'matcher', ok: step.ok, detail: printable(step.detail) }],
    nearly: match !== null,
    nearest: null,
    rule: match === null ? null : ruleText(module, match.rule),
  })
  if (match !== null)
    return ended({ ok: true, detail: `${ruleText(module, match.rule)} finds it` }, { cause: 'counts', verdict: '' })
  if (failure !== undefined || slow.length > 0) {
    const why = failure === undefined ? 'takes too long' : `fails: ${failure}`
    const verdict = `The matcher ${quote(module.name)} of ${jail} ${printable(why)}; so the line is passed over.`
    return ended({ ok: false, detail: `${module.name} ${why}` }, { cause: 'too-slow', verdict })
  }
  if (skipped > 0)
    return ended({ ok: false, detail: 'the line is too long' }, { cause: 'too-long', verdict: 'The line is too long.' })
  const verdict = `The matcher ${quote(module.name)} of ${jail} finds nothing in the line, or what it finds is no address.`
  return ended({ ok: false, detail: `${module.name} finds nothing in it` }, { cause: 'no-literal', verdict })
}

function ruleText({ name, rules }: MatcherModule, rule: number): string {
  return `${name}, ${rules[rule] === undefined ? `rule ${rule}` : quote(rules[rule])}`
}

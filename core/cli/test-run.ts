import { BailiffError, quote } from '../errors.ts'
import { asksThreads, outputForm, type TestOptions } from './test-options.ts'
import type { TestReport } from './test-report.ts'
import { Summary } from './test-summary.ts'
import type { TestedFilter, TestOutput } from './tested-filter.ts'
import { isStream, logKind } from './tested-log.ts'

/** Tries a filter on logs and prints what it finds. Throws a BailiffError for a filter or a log it cannot read. */
export async function runTest(given: string, logs: readonly string[], options: TestOptions): Promise<void> {
  const kinds = new Set(logs.map((log) => logKind(log) === 'journal'))
  if (options.journalmatch !== undefined && !kinds.has(true))
    throw new BailiffError('usage', '--journalmatch chooses entries of the journal, and none of the logs is it', {
      hint: 'name systemd-journal as log',
    })
  const stream = asksThreads(options) ? logs.find(isStream) : undefined
  if (stream !== undefined)
    throw new BailiffError('usage', `--threads: ${quote(stream)} is no file, and one thread reads it`, {
      hint: 'name files, or leave it out',
    })
  const filter = options.fail2ban === undefined ? await native(given, options) : await ofTree(given, kinds, options)
  const output = await outputOf(filter, logs, options)
  for (const log of logs) await filter.read(log, output)
  output.end()
}

/** Each dialect is loaded only where it is tried. */
async function native(given: string, options: TestOptions): Promise<TestedFilter> {
  const [{ nativeChoice }, { NativeLines }, { loadEngines }] = await Promise.all([
    import('./native-choice.ts'),
    import('./native-lines.ts'),
    import('./load-engines.ts'),
  ])
  const choice = await nativeChoice(given, options)
  return new NativeLines(choice, await loadEngines([choice.filter]), options)
}

async function ofTree(given: string, kinds: ReadonlySet<boolean>, options: TestOptions): Promise<TestedFilter> {
  const [{ treeFilter }, { TreeLines }] = await Promise.all([import('./tree-filter.ts'), import('./tree-lines.ts')])
  const journal = kinds.has(true) && !kinds.has(false)
  return new TreeLines(await treeFilter(options.fail2ban ?? '', given, journal, options), options)
}

/** The others are loaded only for who asks for them. */
async function outputOf(filter: TestedFilter, logs: readonly string[], options: TestOptions): Promise<TestOutput> {
  const form = outputForm(options)
  if (form === 'summary') return new Summary(filter.tally)
  if (form === 'report') return report(filter, logs, options)
  const { FailureLines, OtherLines, Records } = await import('./test-outputs.ts')
  if (form === 'json') return new Records(options.fail2ban === undefined)
  return form === 'out' ? new FailureLines(options.out ?? '') : new OtherLines()
}

async function report(filter: TestedFilter, logs: readonly string[], options: TestOptions): Promise<TestReport> {
  const { TestReport } = await import('./test-report.ts')
  const listed = options.fail2ban === undefined || options.maxlines === undefined ? 20 : Number(options.maxlines)
  const uses = [...filter.uses, ...logs.map((log) => logUse(log, filter, options))]
  return new TestReport(filter, { ...options, listed, uses })
}

function logUse(log: string, { encoding }: TestedFilter, { journalmatch }: TestOptions): string {
  switch (logKind(log)) {
    case 'journal':
      return [
        'Use         systemd journal',
        ...(journalmatch === undefined ? [] : [`Use    journal match : ${journalmatch}`]),
      ].join('\n')
    case 'file':
      return `Use         log file : ${log}\nUse         encoding : ${encoding}`
    default:
      return linesUse(log)
  }
}

function linesUse(log: string): string {
  const lines = log.split('\n')
  const short = (text: string) => (text.length > 53 ? `${text.slice(0, 50)}...` : text)
  if (lines.length === 1) return `Use      single line : ${short(log)}`
  const shown = lines.slice(0, 5).map((line, index) => `| ${String(index + 1).padStart(2)}: ${short(line)}`)
  return [`Use      multi line : ${lines.length} line(s)`, ...shown, ...(lines.length > 5 ? ['| ...'] : []), '`-'].join(
    '\n',
  )
}

import type { Command } from 'commander'
import type { BenchOptions } from './plugin-bench.ts'

/** `bailiff plugin dev|test|build|bench`, for whoever writes a plugin. */
export function addWriting(plugin: Command): void {
  addDev(plugin)
  addTest(plugin)
  addBuild(plugin)
  addBench(plugin)
}

/** The options of dev and test, as commander gives them. */
export interface TrialOptions {
  readonly kind?: string
  readonly options?: string
  readonly once?: true
  readonly json?: true
  readonly build?: string
  readonly seconds?: string
  readonly lines?: string
  readonly failregex?: readonly string[]
  readonly append?: string
}

const kindOption = ['--kind <kind>', 'action, notifier, source or matcher; unless said, what it looks like'] as const
const optionsOption = ['--options <json>', 'the options of the plugin, as one JSON object'] as const
const jsonOption = ['--json', 'one JSON object a line for each thing that happens; the last has type "end"'] as const
const optionWords = 'options of the plugin: url=https://…, tries=3, headers.x-token=t (values are JSON, else text)'

function addDev(plugin: Command): void {
  plugin
    .command('dev')
    .description('try a plugin, and again at every save: calls, times, retries, errors with its own lines')
    .argument(
      '<file>',
      'the module: .mjs, .js, .ts where this Node runs TypeScript, .wasm, AssemblyScript; or the folder of a package',
    )
    .argument('[key=value...]', optionWords)
    .option(...kindOption)
    .option(...optionsOption)
    .option('--once', 'once, and not at every save')
    .option('--build <command>', 'what makes the module of TypeScript here: run first, and at every save of a .ts')
    .option('--seconds <n>', 'how long a source runs, at most', '5')
    .option('--lines <file>', 'the lines that a matcher is given')
    .option('--failregex <pattern...>', 'the failregexes that a matcher is given')
    .option(...jsonOption)
    .addHelpText(
      'after',
      `
An action gets bans and unbans of addresses for documentation (192.0.2.7, 2001:db8::7, 198.51.100.0/24,
2001:db8:1::/64) through the queue of the agent, with its deadlines and retries: whatever the plugin talks to is
really told. A notifier gets one event of each kind. A source runs, and its lines are shown. Each trial is a process
of its own; one that hangs, crashes or floods the terminal is ended. A matcher in WebAssembly shows what it finds in
each of the lines; one in AssemblyScript is built first.

Exit code (with --once) 0: all was carried out; 69: something failed; 70: it hung, or ended its process; 78: it does
not load, or does not accept its options.

Examples:
  bailiff plugin dev ./edge.mjs
  bailiff plugin dev ./edge.mjs url=http://127.0.0.1:8080 tries=3
  bailiff plugin dev ./edge.mjs --options '{"url": "http://127.0.0.1:8080"}' --once
  bailiff plugin dev ./edge.mjs --once --json | jq -r 'select(.type == "call") | .outcome'
  bailiff plugin dev ./tail.mjs path=/var/log/auth.log --seconds 30
  bailiff plugin dev ./dist/edge.js --build tsc
  bailiff plugin dev ./odd.ts --lines some.log`,
    )
    .action(async (file: string, words: string[], options: TrialOptions) => {
      const { developPlugin } = await import('./plugin-dev.ts')
      process.exitCode = await developPlugin(file, words, options)
    })
}

function addTest(plugin: Command): void {
  plugin
    .command('test')
    .description('run the conformance suite of its kind on a plugin, and say what to do about what fails')
    .argument('<file>', 'the module, as for dev')
    .argument('[key=value...]', optionWords)
    .option(...kindOption)
    .option(...optionsOption)
    .option(
      '--lines <file>',
      'of a matcher in WebAssembly: lines of its format, which are tried and changed in many ways',
    )
    .option('--append <file>', 'of a source: a file that the suite may append lines to, which the source is to bring')
    .option(...jsonOption)
    .addHelpText(
      'after',
      `
The same suites as for the plugins that come with Bailiff; what the plugin talks to is really told, so let that be
one for tests. With bailiff/testing they run in a test of your own, which can also look at the other side.

Exit code 0: all holds; 78: something does not, or it does not load; 70: it hung, or ended its process.

Examples:
  bailiff plugin test ./edge.mjs url=http://127.0.0.1:8080
  bailiff plugin test ./tail.mjs path=/tmp/some.log --append /tmp/some.log
  bailiff plugin test ./odd.wasm --lines some.log
  bailiff plugin test ./edge.mjs --json | jq -r 'select(.ok == false) | .name'`,
    )
    .action(async (file: string, words: string[], options: TrialOptions) => {
      const { testPlugin } = await import('./plugin-test.ts')
      process.exitCode = await testPlugin(file, words, options)
    })
}

function addBuild(plugin: Command): void {
  plugin
    .command('build')
    .description('make JavaScript of a plugin in TypeScript, or WebAssembly of a matcher in AssemblyScript')
    .argument('<file>', 'the module: .ts or .mts')
    .option('-o, --output <file>', 'where it is written; unless said, beside it as .mjs or .wasm')
    .option('--json', 'one JSON object: written')
    .addHelpText(
      'after',
      `
Types are taken out, nothing else changes: lines stay where they are. It is done by Node (22.13 and later), else by
the package amaro, where it is installed beside the plugin (npm install --save-dev amaro).

A file that imports bailiff/assembly is a matcher in AssemblyScript. It is compiled by the package assemblyscript, which
is installed beside it (npm install --save-dev assemblyscript).

Examples:
  bailiff plugin build ./edge.ts
  bailiff plugin build ./edge.ts -o dist/edge.mjs
  bailiff plugin build ./odd.ts`,
    )
    .action(async (file: string, options: { readonly output?: string; readonly json?: true }) => {
      const { buildPlugin } = await import('./plugin-build.ts')
      await buildPlugin(file, options)
    })
}

function addBench(plugin: Command): void {
  plugin
    .command('bench')
    .description('measure a matcher in WebAssembly on a log, beside failregexes of the same meaning')
    .argument('<file>', 'the matcher: .wasm, or AssemblyScript')
    .argument('<log>', 'a log that is not packed; the larger, the better')
    .option('--failregex <pattern...>', 'what finds the same lines and addresses')
    .option('--datepattern <pattern>', 'how these see dates, as in a filter; {NONE}: lines have none')
    .option('--rounds <n>', 'how often each is measured; the median counts', '5')
    .option('--json', 'one JSON object: ways, share, same')
    .addHelpText(
      'after',
      `
The whole way is measured that a line goes in the agent, from the file to what the judge counts, as time of the
processor. Exit code 65: they do not find the same addresses in as many lines, so the times say nothing.

Examples:
  bailiff plugin bench ./odd.wasm odd.log
  bailiff plugin bench ./odd.ts odd.log --failregex '^\\S+ DENY <HOST>$' --datepattern '{NONE}'`,
    )
    .action(async (file: string, log: string, options: BenchOptions) => {
      const { benchPlugin } = await import('./plugin-bench.ts')
      process.exitCode = await benchPlugin(file, log, options)
    })
}

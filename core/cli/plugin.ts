import type { Command } from 'commander'
import { addWriting } from './plugin-writing.ts'

/** `bailiff plugin`: packages of plugins and filters, from the registry of npm, a tarball or a folder; and plugins of one's own. */
export default function addPlugin(program: Command): void {
  const plugin = program
    .command('plugin')
    .description('plugins: install those of others and see what they may do; try your own while you write it')
    .addHelpText(
      'after',
      `
That packages are installed changes nothing: the configuration names what it uses, by its short name: edge is
the package bailiff-plugin-edge, @scope/edge is @scope/bailiff-plugin-edge.

Examples:
  bailiff plugin add edge
  bailiff plugin add ./bailiff-plugin-edge-1.0.0.tgz
  bailiff plugin list
  bailiff plugin info edge
  bailiff plugin verify
  bailiff plugin update
  bailiff plugin remove edge
  bailiff plugin dev ./edge.mjs
  bailiff plugin test ./edge.mjs url=https://edge.example.org`,
    )
  addAdd(plugin)
  addRemove(plugin)
  addList(plugin)
  addInfo(plugin)
  addVerify(plugin)
  addUpdate(plugin)
  addPack(plugin)
  addWriting(plugin)
}

/** The options of all of them, as commander gives them. */
export interface PluginOptions {
  readonly config?: string
  readonly yes?: true
  /** Whether a version may be younger than the configuration says. */
  readonly anyAge?: true
  readonly json?: true
}

const configOption = ['-c, --config <file>', 'the configuration, for the plugin folder that it names'] as const
const anyAgeOption = ['--any-age', 'take also what was published within the last days (release_age)'] as const
const yesOption = ['-y, --yes', 'consent to what is asked for; without a terminal it must be said'] as const

function addAdd(plugin: Command): void {
  plugin
    .command('add')
    .description('install a package, after showing what it may do')
    .argument('<what>', 'a name (edge, @scope/edge, edge@1.2.0), or the path of a tarball (.tgz) or folder (./edge)')
    .option(...yesOption)
    .option(...anyAgeOption)
    .option(...configOption)
    .option('--json', 'one JSON object: outcome, package, asked, signature')
    .addHelpText(
      'after',
      `
Nothing of a package is run: its scripts of installation never are, its plugins not before the configuration
names one. What each plugin may reach is shown, and asked for. A version that was published less than three days
ago (release_age of the configuration) is refused, for stolen accounts publish in a hurry; --any-age takes it.

Examples:
  bailiff plugin add edge
  bailiff plugin add @scope/edge@1.2.0 --yes
  bailiff plugin add ./bailiff-plugin-edge-1.0.0.tgz
  bailiff plugin add ../my-plugin`,
    )
    .action(async (what: string, options: PluginOptions) => {
      const { addPackage } = await import('./plugin-add.ts')
      process.exitCode = await addPackage(what, options)
    })
}

function addRemove(plugin: Command): void {
  plugin
    .command('remove')
    .description('take an installed package away')
    .argument('<name>', 'its name, short or full')
    .option(...configOption)
    .option('--json', 'one JSON object: removed')
    .addHelpText(
      'after',
      `
Examples:
  bailiff plugin remove edge
  bailiff plugin remove @scope/edge`,
    )
    .action(async (name: string, options: PluginOptions) => {
      const { removePackage } = await import('./plugin-remove.ts')
      await removePackage(name, options)
    })
}

function addList(plugin: Command): void {
  plugin
    .command('list')
    .description('what is installed: versions, plugins and filters, and where each came from')
    .option(...configOption)
    .option('--json', 'one JSON object: folder, packages')
    .addHelpText(
      'after',
      `
Examples:
  bailiff plugin list
  bailiff plugin list --json | jq -r '.packages[].name'`,
    )
    .action(async (options: PluginOptions) => {
      const { listPackages } = await import('./plugin-list.ts')
      await listPackages(options)
    })
}

function addInfo(plugin: Command): void {
  plugin
    .command('info')
    .description('one package: what it has, what it may reach, its options; installed or not')
    .argument('<what>', 'as for add')
    .option(...configOption)
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
Of a package that is not installed the manifest is read, and nothing is installed.

Examples:
  bailiff plugin info edge
  bailiff plugin info ./bailiff-plugin-edge-1.0.0.tgz
  bailiff plugin info @scope/edge@2 --json`,
    )
    .action(async (what: string, options: PluginOptions) => {
      const { showPackage } = await import('./plugin-info.ts')
      await showPackage(what, options)
    })
}

function addVerify(plugin: Command): void {
  plugin
    .command('verify')
    .description('whether the files of packages are still those that were installed')
    .argument('[name...]', 'names of packages; unless said, all')
    .option(...configOption)
    .option('--json', 'one JSON object: packages')
    .addHelpText(
      'after',
      `
Exit code 0: all are; 65: some are not, and the agent does not use them. Each start looks, too.

Examples:
  bailiff plugin verify
  bailiff plugin verify edge --json`,
    )
    .action(async (names: string[], options: PluginOptions) => {
      const { verifyPackages } = await import('./plugin-verify.ts')
      process.exitCode = await verifyPackages(names, options)
    })
}

function addUpdate(plugin: Command): void {
  plugin
    .command('update')
    .description('install newer versions, after showing what more they ask for')
    .argument('[name...]', 'names of packages; unless said, all')
    .option(...yesOption)
    .option(...anyAgeOption)
    .option(...configOption)
    .option('--json', 'one JSON object: packages')
    .addHelpText(
      'after',
      `
Each package is looked for where it came from. One that asks for no more than before is taken; one that asks for
more is shown and asked for again. Where something fails the old version stays.

Examples:
  bailiff plugin update
  bailiff plugin update edge --yes`,
    )
    .action(async (names: string[], options: PluginOptions) => {
      const { updatePackages } = await import('./plugin-update.ts')
      process.exitCode = await updatePackages(names, options)
    })
}

function addPack(plugin: Command): void {
  plugin
    .command('pack')
    .description('check a package of your own and write its tarball')
    .argument('[folder]', 'the folder with its package.json', '.')
    .option('--json', 'one JSON object: package, tarball, written, integrity')
    .addHelpText(
      'after',
      `
Its modules are loaded, each in a process of its own: each must export a plugin of its kind, and options that it
declares and the manifest lacks are written into package.json. Then "npm pack" writes the tarball here, without
scripts (build first), and it is checked as "bailiff plugin add" does.

Examples:
  bailiff plugin pack
  bailiff plugin pack ../my-plugin --json`,
    )
    .action(async (folder: string, options: PluginOptions) => {
      const { packPackage } = await import('./plugin-pack.ts')
      await packPackage(folder, options)
    })
}

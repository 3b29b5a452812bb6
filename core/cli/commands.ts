/** All commands, each a file that is loaded only where it is wanted: a start is mostly the loading of modules. */
import type { Command } from 'commander'

/** A file of this folder: its default export adds a command, or some that belong together, to the program. */
type CommandFile = () => Promise<{ readonly default: (program: Command) => void }>

interface CommandGroup {
  readonly heading: string
  /** By the words that people type. Those of one file stand in the order in which it adds them. */
  readonly files: Readonly<Record<string, CommandFile>>
}

const pause = () => import('./pause.ts')
const completion = () => import('./completion.ts')

/** In the order and under the headings of the help. */
const groups: readonly CommandGroup[] = [
  { heading: 'Begin:', files: { setup: () => import('./setup.ts'), doctor: () => import('./doctor.ts') } },
  {
    heading: 'Watch and ban:',
    files: { run: () => import('./run.ts'), reload: () => import('./reload.ts'), pause, resume: pause },
  },
  {
    heading: 'See what happens, and why:',
    files: {
      status: () => import('./status.ts'),
      explain: () => import('./explain.ts'),
      metrics: () => import('./metrics.ts'),
    },
  },
  {
    heading: 'Decide yourself:',
    files: { ban: () => import('./ban.ts'), unban: () => import('./unban.ts'), allow: () => import('./allow.ts') },
  },
  {
    heading: 'Configuration and filters:',
    files: {
      check: () => import('./check.ts'),
      config: () => import('./config.ts'),
      filter: () => import('./filter.ts'),
      test: () => import('./test.ts'),
      replay: () => import('./replay.ts'),
    },
  },
  { heading: 'Plugins:', files: { plugin: () => import('./plugin.ts') } },
  { heading: 'From Fail2ban:', files: { import: () => import('./import.ts'), compare: () => import('./compare.ts') } },
  { heading: 'More:', files: { demo: () => import('./demo.ts'), completion, complete: completion } },
]

/** Of the other commands it tells, so they must all be there. */
const aboutAll: ReadonlySet<string> = new Set(['completion'])

/**
 * Adds the command that is called so; where there is none of this name, or it is about all of them, all commands
 * under their headings.
 */
export async function addCommands(program: Command, name: string | undefined): Promise<void> {
  const wanted = name === undefined || aboutAll.has(name) ? undefined : name
  const one = groups.find(({ files }) => wanted !== undefined && Object.hasOwn(files, wanted))?.files[wanted ?? '']
  if (one !== undefined) {
    const file = await one()
    file.default(program)
    return
  }
  for (const { heading, files } of groups) {
    program.commandsGroup(heading)
    for (const load of new Set(Object.values(files))) {
      const file = await load()
      file.default(program)
    }
  }
}

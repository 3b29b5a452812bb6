import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { bailiff } from './agent-process.ts'

const test = suite('help')

/** The commands that a help names, without `help` itself. */
function commandsIn(help: string): string[] {
  const [, commands = ''] =
    /\n(?:Commands|Watch and ban):\n(.*?)\n\n(?:Examples|Filters come|[A-Z]\w+ that)/s.exec(help) ?? []
  return [...commands.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help')
}

const helpOf = async (...words: string[]) => (await bailiff([...words, '--help'])).stdout

test('all commands stand in groups, and each has examples and --json', async () => {
  const program = await helpOf()
  for (const heading of [
    'Watch and ban:',
    'See what happens, and why:',
    'Decide yourself:',
    'Configuration and filters:',
  ])
    assert.match(program, new RegExp(`^${heading}$`, 'm'))
  const names = commandsIn(program)
  for (const name of ['run', 'check', 'status', 'explain', 'config', 'filter', 'plugin', 'completion'])
    assert.ok(names.includes(name), name)
  for (const name of names) {
    const help = await helpOf(name)
    assert.match(help, new RegExp(`^Examples?:\n[^]*bailiff ${name}`, 'm'), name)
    const parts = ['config', 'filter', 'plugin'].includes(name) ? commandsIn(help) : []
    if (parts.length === 0) assert.match(help, /--json/, name)
    for (const part of parts) {
      const inside = await helpOf(name, part)
      assert.match(inside, /^Examples?:$/m, `${name} ${part}`)
      assert.match(inside, /--json/, `${name} ${part}`)
    }
  }
})

test('a slip is answered with what was meant', async () => {
  const cases: [words: string[], meant: RegExp][] = [
    [['stauts'], /Did you mean status\?/],
    [['status', '--jsn'], /Did you mean --json\?/],
    [['config', 'explan'], /Did you mean explain\?/],
    [['filter', 'lst'], /Did you mean list\?/],
  ]
  for (const [words, meant] of cases) {
    const { code, stderr } = await bailiff(words)
    assert.is(code, 64, words.join(' '))
    assert.match(stderr, meant)
  }
})

test.run()

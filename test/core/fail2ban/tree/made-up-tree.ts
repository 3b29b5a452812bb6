/** Made-up Fail2ban configurations: files that include, override and use each other in all the ways there are. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'

/** Texts of files by their path in the folder. */
export type MadeUpTree = Readonly<Record<string, string>>

/** Replaces what a folder has by the files of a tree. */
export function writeTree(folder: string, tree: MadeUpTree): void {
  rmSync(folder, { recursive: true, force: true })
  for (const [name, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

type Option = readonly [name: string, value: string]

/** Pieces of values, of which each name may or may not be there. */
const plain = [
  'x',
  'y z',
  '1',
  '',
  '5m',
  '"q"',
  "'r, s'",
  '[',
  ']',
  ',',
  '%%',
  '%%(a)s',
  ' ; no comment?',
  '=',
  ':',
  'ü',
]
/** Names that are there, but for what overrides them. */
const interpolated = [
  '%(d)s',
  '%(e)s',
  '%(D)s',
  '%(known/d)s',
  '%(known/e)s',
  '%(default/d)s',
  '%(known/a)s',
  '%(default/a)s',
  '%(__name__)s',
]
/** Names of which some are not there, or lead in a circle. */
const daring = [
  '%(a)s',
  '%(b)s',
  '%(C)s',
  '%(one/a)s',
  '%(Init/a)s',
  '%(Definition/b)s',
  '%(known/failregex)s',
  '%(two/known/failregex)s',
  '%(fail2ban_confpath)s',
  '%(',
  '%x',
]
const tags = [
  '<a>',
  '<b>',
  '<c>',
  '<known/a>',
  '<known/b>',
  '<Init/a>',
  '<Definition/b>',
  '<default/a>',
  '<a<b>>',
  '<known/<c>>',
  '<HOST>',
  '<logtype>',
  '<name>',
  '<actname>',
  '<bantime>',
  '<maxretry>',
  '<ip>',
  '<w>',
  '<F-USER>',
  '<<c>>',
]

const pieces = (...choices: [weight: number, pieces: readonly string[]][]) =>
  fc
    .array(fc.oneof(...choices.map(([weight, some]) => ({ weight, arbitrary: fc.constantFrom(...some) }))), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => parts.join(''))

const inJail = pieces([90, plain], [24, interpolated], [1, daring])
const inFilter = pieces([90, plain], [18, interpolated], [60, tags], [1, daring])
const lines = (value: fc.Arbitrary<string>) =>
  fc
    .array(fc.oneof({ weight: 8, arbitrary: value }, fc.constantFrom('', '# comment', '  ; comment')), {
      minLength: 1,
      maxLength: 3,
    })
    .map((some) => some.join('\n   '))

const names = fc.constantFrom('a', 'b', 'c', 'A', 'w', 'mode', 'name', 'port', 'x.y')
const option = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>) => fc.tuple(name, lines(value))

const parameters = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'a',
        'b',
        'c',
        'name',
        'actname',
        'logtype',
        'maxlines',
        'failregex',
        'w',
        'w?family=inet6',
        'Mode',
        'actionban',
        'date',
      ),
      fc.constantFrom(
        '1',
        'x',
        '"p, q"',
        "'r]s'",
        '<b>',
        '"<a>"',
        '%(d)s',
        '"%(__name__)s"',
        '"u"',
        '',
        '"two\n   lines"',
      ),
    ),
    { maxLength: 3 },
  )
  .chain((some) =>
    fc
      .constantFrom(',', ', ', '][')
      .map((joint) => (some.length === 0 ? '' : `[${some.map(([name, value]) => `${name}=${value}`).join(joint)}]`)),
  )
const used = (...files: string[]) => fc.tuple(fc.constantFrom(...files), parameters).map((parts) => parts.join(''))

const jailOption: fc.Arbitrary<Option> = fc.oneof(
  option(names, inJail),
  fc.tuple(fc.constantFrom('enabled'), fc.constantFrom('true', 'yes', 'ON', 'false', '1')),
  fc.tuple(fc.constant('filter'), used('f', 'g', 'f', 'g', 'missing', '%(__name__)s', 'sub/h')),
  fc.tuple(
    fc.constant('action'),
    fc
      .array(used('p', 'q', 'p', 'q', 'z.py', 'gone'), { maxLength: 3 })
      .chain((some) => fc.constantFrom('\n   ', ' ').map((joint) => some.join(joint))),
  ),
  option(
    fc.constantFrom(
      'failregex',
      'ignoreregex',
      'prefregex',
      'datepattern',
      'usedns',
      'logpath',
      'ignoreip',
      'ignorecommand',
      'logencoding',
      'bantime',
      'findtime',
      'bantime.factor',
      'bantime.maxtime',
      'logtimezone',
      'ignorecache',
    ),
    inJail,
  ),
  fc.tuple(fc.constantFrom('maxretry', 'maxmatches', 'maxlines'), fc.constantFrom('3', ' 4 ', 'many', '1_0', '%(d)s')),
  fc.tuple(fc.constantFrom('bantime.increment', 'ignoreself'), fc.constantFrom('true', 'no', '%(d)s')),
  fc.tuple(fc.constant('backend'), fc.constantFrom('auto', 'systemd', 'systemd[journalflags=1]', 'polling')),
  fc.tuple(
    fc.constant('journalmatch'),
    fc.constantFrom('_A=b + _C="d e"', "x='y'\n   z", '_A=b\\ c', '%(d)s', '_A=%(e)s'),
  ),
)
const definitionOption: fc.Arbitrary<Option> = fc.oneof(
  option(names, inFilter),
  option(
    fc.constantFrom(
      'failregex',
      'ignoreregex',
      'prefregex',
      'datepattern',
      'journalmatch',
      'usedns',
      'maxlines',
      'logtype',
      'mode',
      'date',
    ),
    inFilter,
  ),
  option(
    fc.constantFrom(
      'actionstart',
      'actionban',
      'actionunban',
      'actioncheck',
      'timeout',
      'bantime',
      'matches',
      'actionflush',
    ),
    inFilter,
  ),
  fc.tuple(fc.constantFrom('norestored', 'actionstart_on_demand'), fc.constantFrom('true', '0', '<a>')),
)

/** One file: sections with options, now and then one twice, which no file may have. */
const file = (sections: fc.Arbitrary<string>, options: fc.Arbitrary<Option>, includes: readonly string[]) =>
  fc
    .tuple(
      fc.option(fc.tuple(fc.constantFrom('before', 'after'), fc.subarray([...includes], { minLength: 1 })), {
        freq: 2,
      }),
      fc.uniqueArray(
        fc.tuple(sections, fc.uniqueArray(options, { maxLength: 5, selector: ([name]) => name.toLowerCase() })),
        { maxLength: 4, selector: ([name]) => name },
      ),
      fc.constantFrom(' = ', '=', ' : '),
      fc.integer({ min: 0, max: 400 }),
    )
    .map(([included, all, delimiter, oddity]) => {
      const head = included === null ? '' : `[INCLUDES]\n${included[0]} = ${included[1].join('\n    ')}\n`
      const body = all
        .map(([name, some]) => `[${name}]\n${some.map(([one, value]) => one + delimiter + value).join('\n')}\n`)
        .join('\n')
      const odd = oddity === 399 ? '[DEFAULT]\nno option at all\n' : oddity === 400 ? '[one]\na = 1\na = 2\n' : ''
      return head + body + odd
    })

const jailSections = fc.constantFrom('DEFAULT', 'one', 'two', 'three-3')
const definitionSections = fc.constantFrom(
  'Definition',
  'Definition',
  'Init',
  'DEFAULT',
  'Init?family=inet6',
  'Definition?x',
)
const jailFile = file(jailSections, jailOption, ['common.conf', 'more', 'nowhere.conf', 'common', 'fail2ban.conf'])
// A file named .local that includes its .conf again includes itself for ever, for Fail2ban, too.
const jailLeaf = file(jailSections, jailOption, ['nowhere.conf'])
const definitionLeaf = file(definitionSections, definitionOption, ['nowhere'])
const definitionFile = file(definitionSections, definitionOption, [
  'common.conf',
  'other',
  '../more',
  'nowhere',
  'sub/h.local',
])

const serverFile = file(
  fc.constantFrom('Definition', 'DEFAULT', 'Thread'),
  fc.tuple(
    fc.constantFrom('loglevel', 'dbfile', 'dbmaxmatches', 'stacksize', 'logtarget', 'socket'),
    fc.constantFrom('INFO', '5', '7', '10'),
  ),
  ['nowhere.conf'],
)

/** Files that hold together, so that most trees get far. */
const sound = {
  'jail.conf':
    '[DEFAULT]\nd = D\ne = E%%(d)s\na = A\n[one]\nenabled = yes\nfilter = f[a=1]\naction = p[name=%(__name__)s]\n[two]\nenabled = on\nfilter = g\naction = q\n  p[actname=r, b="<a>, <w>"]\n',
  'filter.d/f.conf':
    '[INCLUDES]\nbefore = common.conf\n[Definition]\nfailregex = ^<a> from <HOST>\n  <b>$\nb = B\nc = a\n[Init]\na = init\nmaxlines = 2\n',
  'filter.d/g.conf': '[Definition]\nfailregex = ^<mode> %(d)s\nmode = <c>\nc = w\nd = <known/c>\nignoreregex =\n',
  'action.d/p.conf':
    '[Definition]\nactionban = ban <a> <w> <ip>\nactionunban = <known/a> <b> <c>\nc = b\n[Init]\na = init\nb = <a>\nw = four\n[Init?family=inet6]\nw = six\n',
  'action.d/q.conf': '[INCLUDES]\nafter = common.conf\n[Definition]\nactionstart = <a>\n  <d>\nnorestored = 1\n',
}
/** What definitions may use. */
const defaults = '[DEFAULT]\nd = D\ne = E<d>\na = A\n'

export const madeUpTrees: fc.Arbitrary<MadeUpTree> = fc
  .record(
    {
      'jail.local': jailFile,
      'jail.d/10.conf': jailFile,
      'jail.d/20.local': jailFile,
      'common.conf': jailFile,
      'common.local': jailLeaf,
      more: jailFile,
      'fail2ban.conf': serverFile,
      'filter.d/f.d/x.conf': definitionFile,
      'filter.d/f.local': definitionFile,
      'filter.d/g.local': definitionFile,
      'filter.d/common.conf': definitionFile,
      'filter.d/sub/h.local': definitionLeaf,
      'filter.d/other.local': definitionLeaf,
      'action.d/p.local': definitionFile,
      'action.d/q.local': definitionFile,
      'action.d/q.d/y.local': definitionFile,
      'action.d/common.conf': definitionFile,
    },
    { requiredKeys: [] },
  )
  .map((tree) =>
    Object.fromEntries(
      Object.entries({ ...sound, ...tree }).map(([name, text]) => [
        name,
        text.includes('[DEFAULT]') || !/^(?:filter|action)/.test(name) ? text : defaults + text,
      ]),
    ),
  )

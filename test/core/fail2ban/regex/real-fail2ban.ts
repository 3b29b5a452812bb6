import { execFileSync } from 'node:child_process'
import { comparedEnvironment, comparedPython, comparedTests, comparedTree } from '../../../compared-fail2ban.ts'
import type { Span } from './real-python.ts'

/** A pattern of a filter, as a jail with the filter would use it. */
export interface StockPattern {
  readonly filter: string
  readonly kind: 'failregex' | 'ignoreregex' | 'prefregex'
  readonly text: string
  readonly multiline: boolean
  readonly prefregex: string | null
}

/** A pattern with tags, and the texts that it is searched in. */
export interface TagTrial {
  readonly text: string
  readonly kind: StockPattern['kind']
  readonly multiline: boolean
  readonly usedns: string
  readonly prefregex: string | null
  readonly texts: readonly string[]
}

/** What the program makes of it: refused, or the expanded text, and the spans and merged groups for each text. */
export type TagVerdict =
  | { readonly refused: string }
  | {
      readonly expanded: string
      readonly found: readonly ({ readonly spans: readonly Span[]; readonly groups: Record<string, unknown> } | null)[]
    }

const start = `
import glob, json, logging, os, re, sys, warnings
warnings.simplefilter('ignore')
logging.disable(logging.CRITICAL)
`

const listing = `${start}
from fail2ban.client.filterreader import FilterReader
logs = '${comparedTests}/files/logs'
def option_sets(name):
    found = [{}]
    try: lines = open(os.path.join(logs, name), encoding='utf-8', errors='replace')
    except OSError: return found
    for line in lines:
        given = re.match(r'#\\s*filterOptions:\\s*(.+)', line)
        if given:
            given = json.loads(given.group(1))
            found += given if isinstance(given, list) else [given]
    return found
patterns = {}
for path in sorted(glob.glob('${comparedTree}/filter.d/*.conf')):
    name = os.path.basename(path)[:-5]
    for options in option_sets(name):
        if 'test.condition' in options: del options['test.condition']
        reader = FilterReader(name, 'jail', {k: v for k, v in options.items() if not k.startswith('test.')}, basedir='${comparedTree}')
        if not reader.read(): continue
        try: reader.getOptions({})
        except Exception: continue
        commands = reader.convert()
        lists, lines, pref = [], 1, None
        for command in commands:
            if command[2] == 'maxlines': lines = int(command[3])
            elif command[2] == 'prefregex': pref = command[3]
            elif command[2] in ('addfailregex', 'addignoreregex'):
                texts = command[3] if command[0] == 'multi-set' else [command[3]]
                lists += [(command[2][3:], text) for text in texts]
        if pref: lists.append(('prefregex', pref))
        for kind, text in lists:
            inherited = pref if kind == 'failregex' else None
            patterns[(name, kind, text, lines > 1, inherited)] = 1
print(json.dumps([dict(zip(('filter', 'kind', 'text', 'multiline', 'prefregex'), key)) for key in patterns]))
`

const judging = `${start}
import newer_addresses
from fail2ban.server.failregex import Regex, FailRegex, RegexException
def units(text):
    if all(c < '\\U00010000' for c in text): return lambda at: at
    return lambda at: len(text[:at].encode('utf-16-le', 'surrogatepass')) // 2
def found(made, text):
    one = made._regexObj.search(text)
    if one is None: return None
    unit, made._matchCache = units(text), one
    return dict(spans=[None if a < 0 else (unit(a), unit(b)) for a, b in one.regs], groups=made.getGroups())
def verdict(trial):
    try:
        if trial['kind'] == 'failregex':
            pref = trial['prefregex'] and Regex(trial['prefregex'], useDns=trial['usedns'])
            made = FailRegex(trial['text'], prefRegex=pref, multiline=trial['multiline'], useDns=trial['usedns'])
        else: made = Regex(trial['text'], useDns=trial['usedns'])
    except (RegexException, OverflowError, ValueError, RecursionError) as error: return dict(refused=str(error))
    return dict(expanded=made.getRegex(), found=[found(made, text) for text in trial['texts']])
print(json.dumps([verdict(trial) for trial in json.load(sys.stdin)]))
`

/** Every pattern of the installed filters, with every set of options that the sample logs ask for. */
export function stockPatterns(): StockPattern[] {
  return JSON.parse(python(listing, '')) as StockPattern[]
}

/** What the installed program makes of each. */
export function judgedByFail2ban(trials: readonly TagTrial[]): TagVerdict[] {
  return JSON.parse(python(judging, JSON.stringify(trials))) as TagVerdict[]
}

function python(program: string, input: string): string {
  const env = { ...process.env, ...comparedEnvironment, PYTHONUTF8: '1' }
  return execFileSync(comparedPython, ['-c', program], { input, env, encoding: 'utf8', maxBuffer: 1 << 30 })
}

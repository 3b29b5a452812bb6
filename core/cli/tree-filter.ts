import { dirname, resolve } from 'node:path'
import { BailiffError, quote } from '../errors.ts'
import type { FilterTexts } from '../fail2ban/lines/filter-texts.ts'
import { readTreeFilter, similarFilter } from '../fail2ban/tree/filter-reading.ts'
import { splitOptions } from '../fail2ban/tree/option-syntax.ts'
import { shellWords } from '../fail2ban/tree/shell-words.ts'
import { textsOfKind } from '../fail2ban/tree/texts-of-kind.ts'
import type { TreeJail } from '../fail2ban/tree/tree-jail.ts'
import { readTree } from '../fail2ban/tree/tree.ts'
import type { TestOptions } from './test-options.ts'

/** What is tried. */
export interface TreeFilterChoice {
  readonly texts: FilterTexts
  readonly journalmatch: readonly (readonly string[])[]
  /** What is used, in lines for people. */
  readonly uses: readonly string[]
}

/**
 * The jail or the filter of a tree that somebody names, or a failregex: a name, with or without options in brackets, is a
 * jail's before it is a filter's; as `filter.d/NAME`, `NAME.conf` or as a path it is a filter. Throws a BailiffError.
 */
export async function treeFilter(
  folder: string,
  given: string,
  journal: boolean,
  options: TestOptions,
): Promise<TreeFilterChoice> {
  const whole = options.mode === undefined ? given : inMode(given, options.mode)
  const found = (looksLikeName(whole) ? await named(folder, whole, journal) : null) ?? literal(folder, whole, journal)
  return withOptions(found, options)
}

async function named(folder: string, given: string, journal: boolean): Promise<TreeFilterChoice | null> {
  const [, name, passed = ''] = /^([\w-]+)(\[[^]*\])?$/.exec(given) ?? []
  if (name !== undefined) {
    const tree = await readTree(folder, { jails: [name], passed })
    const [jail] = tree.jails
    if (jail !== undefined) return ofJail(folder, jail, passed, journal)
    if (tree.names.includes(name) && tree.problems[0] !== undefined) throw tree.problems[0]
  }
  const filter = readTreeFilter(folder, given.includes('/') ? pathOf(given) : given, journal ? 'journal' : 'file')
  return (
    filter && {
      ...filter,
      uses: [`Use   failregex filter file : ${filter.texts.name.replace(/^filter\.d\//, '')}, basedir: ${folder}`],
    }
  )
}

/** The filter as the jail has it. For a log of another kind than the jail reads it is read anew. */
function ofJail(folder: string, jail: TreeJail, passed: string, journal: boolean): TreeFilterChoice {
  if (jail.filter === null)
    throw new BailiffError('usage', `the jail ${quote(jail.name)} has no filter`, { hint: 'name a filter' })
  const uses = [`Use      jail/flt from : ${jail.name}, basedir: ${folder}`]
  const texts = textsOfKind(folder, jail, journal, passed) ?? jail.filter.texts
  return { texts, journalmatch: jail.journalmatch, uses }
}

function literal(folder: string, given: string, journal: boolean): TreeFilterChoice {
  // What is a name and no filter is nothing that a failregex could be.
  if (looksLikeName(given)) {
    const similar = similarFilter(folder, given)
    throw new BailiffError('no-input', `there is no jail and no filter ${quote(given)} in ${folder}`, {
      hint: similar === undefined ? 'name one, or write a failregex with <HOST>' : `did you mean ${similar}?`,
    })
  }
  const texts: FilterTexts = {
    name: 'failregex',
    prefregex: null,
    failregex: [given],
    ignoreregex: [],
    maxlines: 1,
    datepattern: null,
    timezone: null,
    usedns: 'warn',
    encoding: 'auto',
    journal,
  }
  return { texts, journalmatch: [], uses: [`Use   failregex line : ${shortened(given)}`] }
}

function withOptions({ texts, journalmatch, uses }: TreeFilterChoice, options: TestOptions): TreeFilterChoice {
  const { datepattern, timezone, usedns, maxlines, encoding, ignoreregex = [] } = options
  const dates = datepattern
    ?.split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return {
    texts: {
      ...texts,
      ...(dates === undefined ? {} : { datepattern: dates }),
      ...(timezone === undefined ? {} : { timezone }),
      ...(usedns === undefined ? {} : { usedns: oneOfUsedns(usedns) }),
      ...(maxlines === undefined ? {} : { maxlines: lineCount(maxlines) }),
      ...(encoding === undefined ? {} : { encoding }),
      ignoreregex: [...texts.ignoreregex, ...ignoreregex],
    },
    journalmatch: options.journalmatch === undefined ? journalmatch : [shellWords(options.journalmatch)],
    uses: [...uses, ...ignoreregex.map((regex) => `Use ignoreregex line : ${shortened(regex)}`)],
  }
}

function oneOfUsedns(given: string): FilterTexts['usedns'] {
  const word = given.toLowerCase()
  if (word === 'yes' || word === 'warn' || word === 'no' || word === 'raw') return word
  throw new BailiffError('usage', `--usedns ${quote(given)}: it is yes, warn, no or raw`)
}

function lineCount(given: string): number {
  if (/^[1-9]\d{0,5}$/.test(given)) return Number(given)
  throw new BailiffError('usage', `--maxlines ${quote(given)}: it is a number from 1 on`)
}

/** As `fail2ban-regex` tells names from patterns. */
function looksLikeName(given: string): boolean {
  return /^\/{0,3}[\w/.-]+(?:\[[^]*\])?$/.test(given)
}

/** The mode is an option of the filter as any other. */
function inMode(given: string, mode: string): string {
  if (!/^[\w-]+$/.test(mode) || !looksLikeName(given))
    throw new BailiffError('usage', `--mode ${quote(mode)}: it is a word, of a filter that has a name`, {
      hint: 'bailiff test --fail2ban /etc/fail2ban sshd --mode aggressive …',
    })
  return given.endsWith(']') ? `${given.slice(0, -1)}, mode=${mode}]` : `${given}[mode=${mode}]`
}

function pathOf(given: string): string {
  if (given.startsWith('filter.d/')) return given
  const { name } = splitOptions(given)
  return resolve(dirname(name), given.slice(name.lastIndexOf('/') + 1))
}

function shortened(text: string): string {
  return text.length > 53 ? `${text.slice(0, 50)}...` : text
}

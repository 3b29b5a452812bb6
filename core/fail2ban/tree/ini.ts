/** The INI dialect of Python's `configparser`, with the delimiters and comments that Fail2ban uses. */
import { quote, type BailiffError, type Where } from '../../errors.ts'
import { placeOf, treeProblem } from './problem.ts'
import { isSpace, strip, stripEnd } from './python-text.ts'

/** An option as written: lines joined by newlines, nothing put in yet. */
export interface Setting {
  readonly text: string
  /** Where it was set; undefined: nowhere, it is always there. */
  readonly where: Where | undefined
}

/** Options by name, in order. */
export type Section = Map<string, Setting>

/** What one file says. */
export interface IniFile {
  readonly file: string
  /** `[DEFAULT]`. */
  readonly defaults: Section
  /** All others by name, in order. */
  readonly sections: Map<string, Section>
  /** What is no such file: Fail2ban does not start with one of these. */
  readonly faults: readonly IniFault[]
}

/** Something in a file that cannot be read. */
export interface IniFault {
  /** Null: before the first section. */
  readonly section: string | null
  readonly error: BailiffError
}

const full = /^[#;]/

/** Reads the text of a file. Never throws: what is wrong is in `faults`, all else is read. */
export function readIni(text: string, file: string): IniFile {
  const reader = new IniReader(file)
  text.split(/\r\n|[\r\n]/).forEach((line, index) => reader.line(line, index + 1))
  return reader.finish()
}

class IniReader {
  readonly #file: string
  readonly #defaults = new Map<string, Lines>()
  readonly #sections = new Map<string, Map<string, Lines>>()
  readonly #faults: IniFault[] = []
  #section: { readonly name: string; readonly options: Map<string, Lines> } | null = null
  /** The option that lines which are indented further go on with. */
  #option: Lines | null = null
  #indent = 0

  constructor(file: string) {
    this.#file = file
  }

  line(line: string, number: number): void {
    const comment = commentStart(line)
    const text = strip(comment === null ? line : line.slice(0, comment))
    if (text === '') {
      if (comment === null) this.#option?.lines.push('')
      return
    }
    const indent = firstNonSpace(line)
    if (this.#option !== null && indent > this.#indent) this.#option.lines.push(text)
    else {
      this.#indent = indent
      this.#entry(text, number)
    }
  }

  finish(): IniFile {
    return {
      file: this.#file,
      defaults: joined(this.#defaults),
      sections: new Map(Array.from(this.#sections, ([name, options]) => [name, joined(options)])),
      faults: this.#faults,
    }
  }

  /** A line that begins a section or an option. */
  #entry(text: string, line: number): void {
    const header = /^\[(.+)\]/s.exec(text)?.[1]
    if (header !== undefined) this.#begin(header, line)
    else if (this.#section === null)
      this.#fault(`${quote(text)} stands before the first section`, line, 'begin the file with [Definition] or [jail]')
    else this.#set(text, line, this.#section)
  }

  #begin(name: string, line: number): void {
    const options = name === 'DEFAULT' ? this.#defaults : this.#sections.get(name)
    this.#section = { name, options: options ?? new Map<string, Lines>() }
    this.#option = null
    if (options === undefined) this.#sections.set(name, this.#section.options)
    else if (name !== 'DEFAULT') this.#fault(`the section is twice in this file`, line, 'make one section of them')
  }

  #set(text: string, line: number, { name: section, options }: { name: string; options: Map<string, Lines> }): void {
    const delimiter = text.search(/[=:]/)
    if (delimiter < 0) {
      this.#fault(`${quote(text)} is no option`, line, 'write "name = value", or indent the line if it goes on a value')
      return
    }
    const name = stripEnd(text.slice(0, delimiter)).toLowerCase()
    const where = { file: this.#file, line }
    if (name === '')
      this.#fault(`${quote(text)} has no name before "${text.charAt(delimiter)}"`, line, 'name the option')
    if (options.has(name)) {
      const error = treeProblem('the option is twice in this section', placeOf(where, section, name), 'remove one')
      this.#faults.push({ section, error })
    }
    this.#option = { lines: [strip(text.slice(delimiter + 1))], where }
    options.set(name, this.#option)
  }

  #fault(message: string, line: number, hint: string): void {
    const section = this.#section?.name ?? null
    const where = { file: this.#file, line }
    const error = treeProblem(message, section === null ? where : placeOf(where, section), hint)
    this.#faults.push({ section, error })
  }
}

interface Lines {
  readonly lines: string[]
  readonly where: Where
}

/** Where a comment begins: a line of its own, or behind ` ;`. Null: there is none. */
function commentStart(line: string): number | null {
  if (full.test(strip(line))) return 0
  for (let at = line.indexOf(';'); at >= 0; at = line.indexOf(';', at + 1))
    if (at === 0 || isSpace(line.charAt(at - 1))) return at
  return null
}

function firstNonSpace(line: string): number {
  let at = 0
  while (at < line.length && isSpace(line.charAt(at))) at += 1
  return at
}

function joined(options: ReadonlyMap<string, Lines>): Section {
  return new Map(Array.from(options, ([name, { lines, where }]) => [name, { text: stripEnd(lines.join('\n')), where }]))
}

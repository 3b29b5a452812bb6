import { on } from 'node:events'
import { createInterface } from 'node:readline'
import { parseName } from './project-name.js'
import { chooseTemplate, kinds, kindTexts, languagesOf, languageTexts, nearest } from './templates.js'
import { UsageError } from './usage-error.js'

/** Asks on the terminal for what was not said. Throws a UsageError where it is ended (Ctrl-C, Ctrl-D). */
export async function askMissing(given) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Lines are kept, for who types ahead.
  const lines = on(terminal, 'line', { close: ['close'] })
  const ask = async (question) => {
    terminal.setPrompt(question)
    terminal.prompt()
    const { value, done } = await lines.next()
    if (done) throw new UsageError('nothing is written')
    return String(value[0]).trim()
  }
  try {
    const name = given.name ?? (await askName(ask))
    const kind = given.kind ?? (await choose(ask, 'What is it?', kinds(), (one) => kindTexts[one]?.[1]))
    const language = given.language ?? chooseTemplate(kind, undefined)
    return { ...given, name, kind, language: language ?? (await askLanguage(ask, kind)) }
  } finally {
    terminal.close()
  }
}

function askLanguage(ask, kind) {
  return choose(ask, 'And written?', languagesOf(kind), (language) => languageTexts[language])
}

async function askName(ask) {
  for (;;) {
    const answer = await ask('What is the plugin called? (for example edge) ')
    try {
      parseName(answer)
      return answer
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      process.stderr.write(`  ${error.message}; ${error.hint}\n`)
    }
  }
}

/** An answer is the number, or the word or how it begins; nothing is the first. */
async function choose(ask, question, words, textOf) {
  const list = words.map((word, index) => `  ${index + 1} ${word.padEnd(15)} ${textOf(word) ?? ''}\n`).join('')
  process.stderr.write(`${question}\n${list}`)
  for (;;) {
    const answer = (await ask(`1 to ${words.length}, or the word [${words[0]}]: `)).toLowerCase()
    if (answer === '') return words[0]
    const chosen = words[Number(answer) - 1] ?? nearest(answer, words)
    if (chosen !== undefined) return chosen
  }
}

#!/usr/bin/env node
/** `npm create bailiff-plugin`: reads the command line, asks for what is missing, writes the project, tells how to go on. */
import { relative, resolve } from 'node:path'
import { readCommandLine } from './command-line.js'
import { help } from './help.js'
import { bailiffSpec, packBailiff } from './bailiff-spec.js'
import { parseName } from './project-name.js'
import { askMissing } from './questions.js'
import { chooseTemplate, kindName, languageTexts } from './templates.js'
import { UsageError } from './usage-error.js'
import { writeProject } from './write-project.js'

try {
  const given = readCommandLine(process.argv.slice(2))
  if (given.help) process.stdout.write(help())
  else create(await complete(given))
} catch (error) {
  process.exitCode = tell(error)
}

/** What is missing is asked for where there is somebody to ask. */
async function complete(given) {
  const isComplete = given.name !== undefined && given.kind !== undefined && isChosen(given)
  if (isComplete) return given
  if (process.stdin.isTTY && process.stderr.isTTY && !given.json) return askMissing(given)
  throw new UsageError(`what is to be written? ${missing(given)} is not said, and there is no terminal to ask at`, {
    hint: 'npm create bailiff-plugin edge -- --kind action --language js',
  })
}

function isChosen({ kind, language }) {
  return language !== undefined || chooseTemplate(kind, undefined) !== null
}

function missing({ name, kind }) {
  return name === undefined ? 'the name' : kind === undefined ? '--kind' : '--language'
}

function create({ name: given, kind, language: wanted, bailiff, json }) {
  const language = chooseTemplate(kind, wanted)
  const name = parseName(given)
  const { spec, checkout } = bailiffSpec(bailiff, name.folder)
  const files = writeProject({ ...name, kind, language, bailiff: spec })
  if (checkout !== null) packBailiff(checkout, name.folder)
  if (json) {
    const { folder, packageName, pluginName } = name
    process.stdout.write(
      `${JSON.stringify({ folder, package: packageName, plugin: pluginName, kind, language, files }, null, 2)}\n`,
    )
  } else process.stdout.write(nextSteps(name, kind, language, files.length))
}

function nextSteps({ folder, packageName }, kind, language, count) {
  const from = relative('', folder)
  const enter = from === '' ? '' : `  cd ${/^[\w./@+-]+$/.test(from) ? from : JSON.stringify(resolve(folder))}\n`
  return `${packageName} is written: ${kindName(kind)} ${languageTexts[language] ?? language}, ${count} files

${enter}  npm install
  npm test          # it passes as it is

README.md says how it is tried, used and published.
`
}

/** Tells what went wrong, and answers the exit code (those of sysexits.h, as Bailiff has them). */
function tell(error) {
  if (error instanceof UsageError) {
    process.stderr.write(`create-bailiff-plugin: ${error.message}\n${error.hint === '' ? '' : `  ${error.hint}\n`}`)
    return error.exitCode
  }
  const why = error instanceof Error ? error.message : String(error)
  process.stderr.write(`create-bailiff-plugin: the project cannot be written: ${why}\n`)
  return 73
}

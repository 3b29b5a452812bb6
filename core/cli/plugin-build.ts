import { readFileSync, writeFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { basename, resolve } from 'node:path'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import { isMatcherSource } from '../wasm-matcher/matcher-source.ts'
import { loadModule } from '../wasm-matcher/load-module.ts'
import { jsonLine } from './json-line.ts'
import { print } from './output.ts'

type Strip = (text: string) => string

/** Writes a plugin in TypeScript as JavaScript, a matcher in AssemblyScript as WebAssembly. Throws a BailiffError for what cannot be read, written or stripped. */
export async function buildPlugin(
  given: string,
  { output, json }: { readonly output?: string; readonly json?: true },
): Promise<void> {
  const file = resolve(given)
  if (!/\.m?ts$/.test(file))
    throw new BailiffError('usage', `a module of TypeScript ends in .ts or .mts, not ${quote(given)}`, {
      hint: 'JavaScript needs no build: bailiff plugin dev ./edge.mjs',
    })
  const text = read(file)
  if (isMatcherSource(text)) return buildMatcher(file, output, json)
  const written = resolve(output ?? file.replace(/\.m?ts$/, '.mjs'))
  const strip = fromNode() ?? (await fromPackage(file))
  writeFileSync(written, stripped(strip, text, file))
  print(json ? jsonLine({ written }) : `${written} is written; try it: bailiff plugin dev ${written}`)
}

async function buildMatcher(file: string, output: string | undefined, json: true | undefined): Promise<void> {
  const written = resolve(output ?? file.replace(/\.m?ts$/, '.wasm'))
  const { compileMatcher } = await import('../wasm-matcher/compile-matcher.ts')
  const { sayOnStderr } = await import('./plugin-module.ts')
  const module = await compileMatcher(file, sayOnStderr)
  writeFileSync(written, module)
  // What the agent would refuse is told here.
  loadModule({ name: basename(written), file: written, options: {} })
  print(
    json
      ? jsonLine({ written, bytes: module.length })
      : `${written} is written (${module.length} bytes); try it: bailiff plugin test ${written}`,
  )
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BailiffError('no-input', `${quote(file)} cannot be read: ${whyUnreadable(cause)}`, { cause })
  }
}

function stripped(strip: Strip, text: string, file: string): string {
  try {
    return strip(text)
  } catch (cause) {
    throw new BailiffError('data', `TypeScript of which not only types have to go: ${(cause as Error).message}`, {
      where: { file },
      hint: 'enums, namespaces and parameter properties need a compiler: npx tsc',
      cause,
    })
  }
}

function fromNode(): Strip | null {
  const { stripTypeScriptTypes: strip } = nodeModule as { readonly stripTypeScriptTypes?: Strip }
  return strip ?? null
}

/** What Node does it with, as a package. */
async function fromPackage(file: string): Promise<Strip> {
  try {
    const path = nodeModule.createRequire(file).resolve('amaro')
    const { default: amaro } = (await import(path)) as {
      readonly default: { transformSync(text: string, options: object): { readonly code: string } }
    }
    return (text) => amaro.transformSync(text, { mode: 'strip-only' }).code
  } catch (cause) {
    throw new BailiffError('unavailable', `this Node (${process.version}) cannot take types out of TypeScript`, {
      hint: 'npm install --save-dev amaro  in the folder of the plugin, or use Node 22.13 or later',
      cause,
    })
  }
}

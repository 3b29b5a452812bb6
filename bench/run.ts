/**
 * `npm run bench`: all parts, or those that are named, or cases of one: `npm run bench -- jails agent/bulk`. A run
 * whose answer is wrong prints no figure and ends it all; what cannot be measured here is skipped, and said.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chart } from './chart.ts'
import type { Case, Part } from './part.ts'
import append from './parts/append.ts'
import agent from './parts/agent.ts'
import jails from './parts/jails.ts'
import memory from './parts/memory.ts'
import pluginHosts from './parts/plugin-hosts.ts'
import scan from './parts/scan.ts'
import slowLines from './parts/slow-lines.ts'
import table from './parts/table.ts'
import workers from './parts/workers.ts'
import { KeptResults, type CaseResult } from './results.ts'
import { overLimits, resultText } from './result-text.ts'

const parts: readonly Part[] = [scan, workers, jails, table, append, agent, pluginHosts, slowLines, memory]
const rounds = 5
const resultsFolder = fileURLToPath(new URL('../../bench/results', import.meta.url))
const order = parts.flatMap(({ name: part, cases }) => cases.map(({ name }) => ({ part, name })))

const asked = process.argv.slice(2)
const unknown = asked.find((word) => chosen([word]).length === 0)
if (unknown === undefined) await run(chosen(asked))
else {
  console.log(`no part or case is called ${unknown}; there are`)
  for (const { name, about } of parts) console.log(`  ${name.padEnd(14)} ${about}`)
  process.exitCode = 64
}

interface Chosen {
  readonly part: Part
  readonly cases: readonly Case[]
}

/** `part` is all of its cases, `part/words` those whose names have the words. */
function chosen(words: readonly string[]): Chosen[] {
  return parts.flatMap((part) => {
    if (words.length === 0) return part.onlyNamed ? [] : [{ part, cases: part.cases }]
    const cases = part.cases.filter(({ name }) =>
      words.some((word) => word === part.name || (word.startsWith(`${part.name}/`) && name.includes(wordsOf(word)))),
    )
    return cases.length === 0 ? [] : [{ part, cases }]
  })
}

function wordsOf(word: string): string {
  return word.slice(word.indexOf('/') + 1)
}

async function run(all: readonly Chosen[]): Promise<void> {
  const kept = new KeptResults(resultsFolder, rounds)
  const { date, machine, node } = kept.all
  console.log(`${date}, ${machine}, Node ${node}; medians of ${rounds} rounds where there are rounds`)
  for (const { part, cases } of all) {
    console.log(`\n== ${part.name}: ${part.about}`)
    for (const one of cases) {
      const missing = one.missing?.() ?? null
      if (missing !== null) {
        console.log(`\n${one.name}: skipped, ${missing}`)
        continue
      }
      const from = performance.now()
      const result = await measured(part, one)
      console.log(`\n${resultText(result)}\n  took ${((performance.now() - from) / 1000).toFixed(0)} s`)
      if (overLimits(result).length > 0) process.exitCode = 1
      kept.keep(result, order)
      writeFileSync(join(resultsFolder, 'latest.svg'), chart(kept.all))
    }
  }
  console.log(`\nkept in ${kept.file}`)
}

async function measured(part: Part, { name, why, corpus, answer, drawn, limits, measure }: Case): Promise<CaseResult> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const figures = await measure(folder, rounds)
    return { part: part.name, name, why, corpus, answer, drawn, ...(limits ? { limits } : {}), figures }
  } catch (cause) {
    throw new Error(`${part.name}, ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  } finally {
    remove()
    process.off('exit', remove)
  }
}

/** The module that a further counting thread runs: it takes ranges until there are none, and answers once. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadEngines } from '../load-engines.ts'
import { LineCounter } from './line-counter.ts'
import type { CountTask } from './messages.ts'

const { setup, file } = workerData as CountTask
const counter = new LineCounter(setup, await loadEngines(setup.jails.map(({ filter }) => filter)))
counter.countShare(file)
const share = counter.share()
parentPort?.postMessage(share, share.addresses === null ? [] : [share.addresses.buffer as ArrayBuffer])

import { Worker } from 'node:worker_threads'
import { threadCodeMb } from '../../plugin-host/inside/thread-room.ts'

/** Ends this process when its parent is gone, also while a plugin never lets the event loop go. To be called at its start. */
export function endWithParent(): void {
  const resourceLimits = { codeRangeSizeMb: threadCodeMb }
  new Worker(watch, { eval: true, workerData: process.ppid, resourceLimits }).unref()
}

const watch = `
const { workerData } = require('node:worker_threads')
setInterval(() => process.ppid === workerData || process.kill(process.pid, 'SIGKILL'), 500)`

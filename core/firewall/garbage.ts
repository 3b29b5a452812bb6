import { getHeapStatistics } from 'node:v8'

const lookEveryMs = 5000
const garbageBytes = 4 * 1024 * 1024

/**
 * Collects garbage once there may be much of it. V8 alone waits until it needs the room, so a helper that listed
 * its elements once would keep what that took. Does nothing unless Node runs with `--expose-gc`.
 */
export function collectGarbage(): void {
  const { gc } = globalThis
  if (gc === undefined) return
  let before = getHeapStatistics().used_heap_size
  const look = () => {
    if (getHeapStatistics().used_heap_size < before + garbageBytes) return
    void gc()
    before = getHeapStatistics().used_heap_size
  }
  setInterval(look, lookEveryMs).unref()
}

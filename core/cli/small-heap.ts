/** The first thing to be loaded, for what has grown once does not shrink; `MemoryWatch` keeps it so. */
import { smallHeap } from '../small-heap.ts'

if (process.argv[2] === 'run') smallHeap()

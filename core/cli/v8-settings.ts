/** The first thing to be loaded, for what has grown once does not shrink; `MemoryWatch` keeps it so. */
import { setFlagsFromString } from 'node:v8'
import { smallHeap } from '../small-heap.ts'

/**
 * V8 optimises code when so many bytes of it ran. Most of a command that is over in a second is not worth that: twelve
 * times V8's own number saves `bailiff test` a tenth of its processor time on a log of 100 MB and a quarter on one of 3 MB.
 * V8 11, that of Node 20, is the last that knows the flag by this name; later ones print a complaint.
 */
const patientCompiler = '--interrupt-budget=800000'

const command = process.argv[2]
if (command === 'run') smallHeap()
else if (command !== 'replay' && process.versions.v8.startsWith('11.')) setFlagsFromString(patientCompiler)

import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { defineSource } from '../../core/plugin.ts'
import { ContainerLog } from './docker/container-log.ts'
import { EngineLogs, type OpenLog } from './docker/engine-logs.ts'
import { JsonFiles } from './docker/json-files.ts'
import { Place } from './docker/place.ts'

const usualFolder = '/var/lib/docker/containers'

const label = z.string().regex(/^[^=\s][^=]*(?:=.*)?$/, 'expected a label, as key or key=value')
const name = z.string().regex(/^[\w.*?-]+$/, 'expected the name of a container, perhaps with * or ?, or its id')
const path = z.string().refine(isAbsolute, 'expected an absolute path')

const options = z
  .strictObject({
    labels: z
      .union([label, z.array(label).min(1)])
      .describe('Labels that the containers have, `key` or `key=value`: all of them.')
      .optional(),
    containers: z
      .union([name, z.array(name).min(1)])
      .describe('Names of the containers (with `*` and `?`), or their ids: one of them.')
      .optional(),
    folder: path.describe(`Where dockerd keeps its containers; unless given, ${usualFolder}.`).optional(),
    socket: path
      .describe('The socket of the engine, asked instead of reading files. Who may open it is as good as root.')
      .optional(),
  })
  .superRefine(({ labels, containers, folder, socket }, context) => {
    if (labels === undefined && containers === undefined)
      context.addIssue({
        code: 'custom',
        message: 'say which containers: by "labels", such as bailiff.jail=nginx, or by "containers"',
      })
    if (folder !== undefined && socket !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['folder'],
        message: 'the files are not read where "socket" is asked: leave out one',
      })
  })

/**
 * Follows what containers write to their output, those too that come later: out of dockerd's JSON files, or by the API of
 * the engine. Each container is a log of its own, by its name. Lines arrive as the container wrote them.
 */
export default defineSource<z.output<typeof options>>({
  options,
  async start(emit, host) {
    const { labels = [], containers = [], folder = usualFolder, socket } = host.options
    const selection = { labels: [labels].flat(), containers: [containers].flat() }
    const openLog: OpenLog = (container, fresh) => {
      const cursor = host.cursor(container.name)
      // One that came while we watched, or while we were away in the place of another, is new from its first line on.
      const beginning = fresh || cursor !== null ? 0n : BigInt(Math.floor(host.since())) * 1_000_000n
      return new ContainerLog(container.name, new Place(container.id, cursor, beginning), emit, host)
    }
    if (socket === undefined) await new JsonFiles(folder, selection, host, openLog).run()
    else await new EngineLogs(socket, selection, host, openLog).run()
  },
})

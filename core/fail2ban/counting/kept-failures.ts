import { z } from 'zod'
import type { Failure, Kept } from '../../events.ts'
import type { Arrival, WaitingFailure } from './gate-rules.ts'

const failure = z.object({
  jail: z.string(),
  filter: z.string(),
  rule: z.int().min(0),
  time: z.number().nullable(),
  attempts: z.int().min(1),
  groups: z.record(z.string(), z.string()),
  log: z.string(),
  offset: z.number(),
  line: z.string(),
  id: z.string(),
  ip: z.string().nullable(),
  isName: z.boolean(),
  lines: z.array(z.string()),
}) satisfies z.ZodType<Failure>

const arrival = z.object({
  arrivedAt: z.number(),
  live: z.boolean(),
  undatedAt: z.number().nullable(),
}) satisfies z.ZodType<Arrival>

const waitingFailure = z.object({ failure, arrival })

/** A failure that waits (null: no longer) as the store keeps it. */
export function keptWaiting(key: string, waiting: WaitingFailure | null): Kept {
  if (waiting === null) return { kind: 'waiting-failure', key, value: null }
  const { arrivedAt, live, undatedAt } = waiting.arrival
  return { kind: 'waiting-failure', key, value: { failure: waiting.failure, arrival: { arrivedAt, live, undatedAt } } }
}

/** The failures that waited, by key; of what cannot be read the key alone. */
export function waitingOf(kept: readonly Kept[]): ReadonlyMap<string, WaitingFailure | null> {
  const waiting = kept.filter(({ kind }) => kind === 'waiting-failure')
  return new Map(waiting.map(({ key, value }) => [key, waitingFailure.safeParse(value).data ?? null]))
}

/** As many sessions are remembered, for as many seconds since their first line. */
const maxSessions = 100
const maxAge = 300
/** A power of two. */
const buckets = 256
const none = -1

/**
 * Remembers sessions by key. When it is full the oldest go, those that are over first. Its places are used again, and it is
 * no Map: when one that lives long is filled and emptied, V8 makes it new each time, and what was in the old ones seems to be
 * in use until all memory is looked through, which costs as much as finding the lines.
 */
export class SessionCache<Session> {
  readonly #keys: string[] = Array.from<string>({ length: maxSessions }).fill('')
  readonly #sessions: (Session | undefined)[] = Array.from({ length: maxSessions })
  readonly #until = new Float64Array(maxSessions)
  /** By place: those that came before and after it; `none`: it was the first, or the last. */
  readonly #before = new Int16Array(maxSessions)
  readonly #after = new Int16Array(maxSessions)
  /** By bucket and by place: the next place whose key has the same hash. */
  readonly #firstOf = new Int16Array(buckets).fill(none)
  readonly #nextOf = new Int16Array(maxSessions)
  /** Places that are free, the next one last. */
  readonly #free = Array.from({ length: maxSessions }, (_, place) => maxSessions - 1 - place)
  #oldest = none
  #youngest = none

  /** `now`: unix seconds. */
  get(key: string, now: number): Session | undefined {
    const place = this.#placeOf(key)
    if (place === none) return undefined
    if ((this.#until[place] ?? 0) > now) return this.#sessions[place]
    this.#remove(place)
    return undefined
  }

  /** Those of all that are remembered, and maybe of some that are over. */
  *keys(): Generator<string> {
    for (let place = this.#oldest; place !== none; place = this.#after[place] ?? none) yield this.#keys[place] ?? ''
  }

  /** The key is a new one: `get` has just not found it. */
  set(key: string, session: Session, now: number): void {
    if (this.#free.length === 0) this.#makeRoom(now)
    const place = this.#free.pop() ?? none
    const bucket = bucketOf(key)
    this.#keys[place] = key
    this.#sessions[place] = session
    this.#until[place] = now + maxAge
    this.#nextOf[place] = this.#firstOf[bucket] ?? none
    this.#firstOf[bucket] = place
    this.#before[place] = this.#youngest
    this.#after[place] = none
    if (this.#youngest === none) this.#oldest = place
    else this.#after[this.#youngest] = place
    this.#youngest = place
  }

  delete(key: string): void {
    const place = this.#placeOf(key)
    if (place !== none) this.#remove(place)
  }

  #makeRoom(now: number): void {
    while (this.#oldest !== none) {
      const until = this.#until[this.#oldest] ?? 0
      this.#remove(this.#oldest)
      if (until > now) return
    }
  }

  #placeOf(key: string): number {
    let place = this.#firstOf[bucketOf(key)] ?? none
    while (place !== none && this.#keys[place] !== key) place = this.#nextOf[place] ?? none
    return place
  }

  #remove(place: number): void {
    const bucket = bucketOf(this.#keys[place] ?? '')
    const behind = this.#nextOf[place] ?? none
    if (this.#firstOf[bucket] === place) this.#firstOf[bucket] = behind
    else {
      let other = this.#firstOf[bucket] ?? none
      while (other !== none && this.#nextOf[other] !== place) other = this.#nextOf[other] ?? none
      this.#nextOf[other] = behind
    }
    const [before, after] = [this.#before[place] ?? none, this.#after[place] ?? none]
    if (before === none) this.#oldest = after
    else this.#after[before] = after
    if (after === none) this.#youngest = before
    else this.#before[after] = before
    this.#keys[place] = ''
    this.#sessions[place] = undefined
    this.#free.push(place)
  }
}

/** By the last characters, where keys differ: a process number stands there. */
function bucketOf(key: string): number {
  let hash = key.length
  for (let index = Math.max(0, key.length - 12); index < key.length; index++)
    hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0
  return (hash ^ (hash >>> 8)) & (buckets - 1)
}

import { missing, Text } from './text'

/** What was found in a line. It is empty when `match` is called. */
export class Found {
  /** Whom the line tells of. Bailiff reads it, and passes the line over where it is no address. Without one nothing was found. */
  address: Text = missing
  /** Which rule it was, from 0: an index in `rules`, where they have names. */
  rule: i32 = 0
  /** The date as it stands in the line; Bailiff reads it. Where neither this nor `time` is set, Bailiff looks for a date. */
  date: Text = missing
  /** When the line was written, in unix milliseconds; NaN: not known. */
  time: f64 = NaN
  user: Text = missing
  /** What names the connection: lines with the same are of one peer. */
  session: Text = missing

  /** For the next line. */
  clear(): void {
    this.address = missing
    this.rule = 0
    this.date = missing
    this.time = NaN
    this.user = missing
    this.session = missing
  }
}

import type { AddressReport } from '../control/api.ts'

/** A report as people read it. */
export function addressText(report: AddressReport): string {
  return JSON.stringify(report, null, 2)
}

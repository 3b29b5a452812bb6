import { has, type Need } from '../../test/suite.ts'

const needs: readonly Need[] = ['root', 'nft', 'ip', 'perl']

/** What a watched agent needs and is not here, in words; null: nothing. */
export function missingForFirewall(): string | null {
  const missing = needs.filter((need) => !has(need))
  return missing.length === 0 ? null : `it needs ${missing.join(', ')}`
}

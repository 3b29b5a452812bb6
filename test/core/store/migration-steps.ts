import { migrations } from '../../../core/store/schema.ts'

/** The schema of now and one step more, as a later version may have it. */
export const steps: readonly string[] = [
  ...migrations,
  'ALTER TABLE bans ADD COLUMN doubled INTEGER; UPDATE bans SET doubled = 2 * count;',
]

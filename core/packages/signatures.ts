import { isRecord } from '../settings/sourced.ts'
import { BailiffError } from '../errors.ts'
import { askRegistryKeys, type Signed } from './registry-keys.ts'
import { runNpm, type NpmRun } from './npm.ts'

const deadlineMs = 60_000

/** What was found out of who published a package and all that it depends on. */
export interface Signatures {
  /** In words, for people. */
  readonly text: string
  /** Whether all was checked and right. */
  readonly verified: boolean
}

/**
 * Asks npm whether the registry has signed what is installed in a folder, and whether attestations of where it was
 * built hold. Throws a BailiffError where a signature is wrong; what cannot be checked is said.
 */
export async function checkSignatures(folder: string, one: Signed): Promise<Signatures> {
  const { code, json, why, errorCode } = await runNpm(['audit', 'signatures'], folder, deadlineMs).catch(late)
  const answer = isRecord(json) ? json : {}
  const invalid = namesIn(answer.invalid)
  const missing = namesIn(answer.missing)
  if (invalid.length > 0)
    throw new BailiffError(
      'data',
      `the signature of ${invalid.join(', ')} is wrong: somebody has changed the package`,
      {
        hint: 'do not install it; tell who runs the registry, and try again later',
      },
    )
  if (missing.length > 0) return { verified: false, text: `the registry has no signature of ${missing.join(', ')}` }
  if (code === 0 && (Array.isArray(answer.invalid) || Array.isArray(answer.verified)))
    return { verified: true, text: 'signed by the registry' }
  // Not a key that is out of reach, but one that is wrong.
  if (/^E(?:MISSING|EXPIRED)SIGNATUREKEY$/.test(errorCode))
    throw new BailiffError('data', `the signature of ${one.name} is not to be trusted: ${why || errorCode}`, {
      hint: 'do not install it; tell who runs the registry, and try again later',
    })
  return byOwnKeys(folder, one, `npm says ${`${errorCode} ${why}`.trim() || 'nothing'}`)
}

/** Where npm cannot ask sigstore for the keys of a registry: by those that the registry itself tells. */
async function byOwnKeys(folder: string, one: Signed, why: string): Promise<Signatures> {
  const { json } = await runNpm(['config', 'ls'], folder, deadlineMs)
  const settings = isRecord(json) ? json : {}
  const scope = /^@[^/]+/.exec(one.name)?.[0] ?? ''
  const registry = settings[`${scope}:registry`] ?? settings.registry
  if (typeof registry !== 'string' || !/^https?:/.test(registry))
    return { verified: false, text: `not checked: ${why}` }
  const answer = await askRegistryKeys(registry, one)
  if (answer.state === 'signed')
    return {
      verified: true,
      text: 'signed by the registry (by the key that it tells itself; what it needs was not checked)',
    }
  if (answer.state === 'none') return { verified: false, text: `the registry has no signature of ${one.name}` }
  return { verified: false, text: `not checked: ${why}` }
}

/** Where its keys are may be out of reach, for good, of a host that may reach the registry. */
function late(error: unknown): NpmRun {
  if (error instanceof BailiffError && error.kind === 'try-again')
    return { code: 1, json: null, errorCode: '', why: `nothing within ${deadlineMs / 1000} s` }
  throw error
}

function namesIn(list: unknown): string[] {
  const each = Array.isArray(list) ? (list as unknown[]) : []
  return each.flatMap((one) => (isRecord(one) && typeof one.name === 'string' ? [one.name] : [])).slice(0, 20)
}

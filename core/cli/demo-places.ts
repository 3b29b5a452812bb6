import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { defaultPlaces, packageRoot } from '../settings/places.ts'

/**
 * Where the demonstration keeps its files: in the checkout it was started from, so that two checkouts
 * do not meet; where that cannot be written or is too deep for a socket, beside the user's own state.
 */
export function demoPlaces(): { readonly folder: string; readonly control: string } {
  const inCheckout = join(packageRoot, '.demo')
  const folder = inCheckout.length < 90 && isWritable(packageRoot) ? inCheckout : join(defaultPlaces().state, 'demo')
  return { folder, control: join(folder, 'control.sock') }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

import type { Settings } from '../settings/load-settings.ts'
import { note, ok, type DoctorFinding } from './finding.ts'
import { missingNamespaces, namespacesMend } from './missing-namespaces.ts'

/** Whether this machine keeps plugins of others apart. */
export function pluginFindings(settings: Settings | null): DoctorFinding[] {
  const missing = missingNamespaces(settings)
  return [
    missing === null
      ? ok('plugins', 'plugins of others run in namespaces of their own: they can name no other process')
      : note('plugins', missing, namespacesMend),
  ]
}

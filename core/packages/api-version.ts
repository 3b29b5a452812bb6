import { apiVersion } from '../plugin.ts'

export { apiVersion }

/** The oldest version of the plugin API for which a plugin may have been written: the one before. */
export const oldestPluginApi = Math.max(1, apiVersion - 1)

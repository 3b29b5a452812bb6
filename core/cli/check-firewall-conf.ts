import { accessSync, constants } from 'node:fs'
import { BailiffError } from '../errors.ts'
import { firewallConfPath, readFirewallConf } from '../firewall/firewall-conf.ts'

/** What is wrong with firewall.conf. */
export interface FirewallConfFindings {
  /** Why it is refused, or which lines of it are left out. */
  readonly problems: readonly BailiffError[]
  /** That this user could not look. */
  readonly warnings: readonly BailiffError[]
}

/** Reads firewall.conf as the helper does, if it is there. `owner` is whom it must belong to. */
export function checkFirewallConf(path = firewallConfPath, owner = 0): FirewallConfFindings {
  if (mayNotLook(path))
    return {
      problems: [],
      warnings: [
        new BailiffError('config', 'is not checked: this user may not read it', {
          where: { file: path },
          hint: 'the user of the firewall helper must be able to; check it as root',
        }),
      ],
    }
  return { problems: readFirewallConf(path, owner).problems.map((text) => atPlace(text, path)), warnings: [] }
}

/** The helper tells its places in words: `FILE:LINE: what`. */
function atPlace(text: string, path: string): BailiffError {
  const [, line, what = ''] = /^:(\d+): (.*)$/s.exec(text.slice(path.length)) ?? []
  if (!text.startsWith(path) || line === undefined) return new BailiffError('config', text)
  return new BailiffError('config', what, { where: { file: path, line: Number(line) } })
}

function mayNotLook(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES'
  }
}

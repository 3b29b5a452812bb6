/** What holds where nobody says anything. */

/**
 * By option of the top and of a jail, as it would be written. What depends on the machine, its user or the filter is
 * not here. A test holds it against the settings that an empty configuration leads to.
 */
export const usualValues = {
  top: {
    ignoreip: [],
    trusted_proxies: [],
    ignoreself: 'on',
    notifiers: ['log'],
    observe: 'off',
    memory: 256,
    plugin_memory: 256,
    release_age: '3d',
    history: '30d',
  },
  jail: {
    enabled: 'on',
    mode: 'enforce',
    protocol: 'tcp',
    findtime: '10m',
    maxretry: 5,
    bantime: { base: '1h', increment: 'on', factor: 2, max: '1w' },
    ipv6prefix: 64,
    actions: ['firewall'],
    also: [],
    notifiers: [],
    ignoreip: [],
    trusted_proxies: [],
  },
} as const

/** What holds where nobody says anything, in words, for options whose value depends on something. */
export const usuallyInWords = {
  top: {
    defaults: 'nothing: jails have what is built in',
    jails: 'none: nothing is on that is not named',
    state: '/var/lib/bailiff for root, else in the home folder',
    plugins: 'the folder packages in that of the state',
    control: '/run/bailiff/control.sock for root, else in the folder of the user that is running',
    user: 'bailiff, when root starts the agent and there is such a user',
    groups: 'those that may read logs: adm, systemd-journal',
    firewall: 'the agent starts a helper of its own',
    workers: 'as many as there are processors, at most 4',
    metrics: 'nowhere but on the control socket',
    fail2ban_log: 'none is written',
  },
  jail: {
    filter: 'the filter with the name of the jail',
    source: 'the first of the usual sources of the filter that fits this host',
    sources: 'the first of the usual sources of the filter that fits this host',
    ports: 'those of the filter; all where it names none',
    datepattern: 'that of the filter; where it has none, all usual forms',
    timezone: 'that of this host',
    jails: 'all that read lines, where the filter counts bans',
  },
} as const

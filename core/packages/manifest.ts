/**
 * What a package of plugins says of itself in its `package.json`, under `bailiff`; it is read without running any of its
 * code. Beside it `keywords` must have `bailiff-plugin`, and `version` be one such as `1.0.0`. It has `provides`,
 * `filters` or `jails`, or several of them; other fields than those that are here are refused.
 */
export interface PackageManifest {
  /** The version of the plugin API that it was written for: `apiVersion`. `bailiff plugin pack` writes it. */
  readonly api: number
  /** Its plugins, at most 64, no two of one kind with the same name; absent: it has none. */
  readonly provides: readonly ProvidedPlugin[]
  /** The folder of its filters, relative to the package (`filters`): a file `NAME.yaml` a filter. Absent: it has none. */
  readonly filters?: string
  /** The folder of its jails, likewise. */
  readonly jails?: string
}

/** One plugin of a package. */
export interface ProvidedPlugin {
  readonly kind: 'source' | 'matcher' | 'action' | 'notifier'
  /** Up to 64 lower-case letters and digits, with dashes between: `edge`, `edge-purge`. Begins with a letter. */
  readonly name: string
  /**
   * The module, relative to the package, without `..`: JavaScript (`.mjs`, `.js`, `.cjs`), or for a matcher WebAssembly
   * (`.wasm`). It must be among `files` of `package.json`, too.
   */
  readonly module: string
  /**
   * A JSON Schema of its options, with `"type": "object"`; what it does not name is refused, unless `additionalProperties`
   * allows it. Absent: it has no options. `bailiff plugin pack` writes what a module declares; that of a matcher in
   * WebAssembly is written by hand.
   */
  readonly options?: unknown
  readonly capabilities?: Capabilities
}

/** What a plugin may reach beside what the host hands it. What is absent is forbidden. At most 100 of each. */
export interface Capabilities {
  /** Hosts that it may talk to: a name or an address, `api.example.net`, with a port `api.example.net:443`, `[2001:db8::1]:443`; or `*` for any. */
  readonly hosts?: readonly string[]
  /**
   * Files and folders outside its own folder and its state, absolute, without `..`, `*` and `?`; a folder ends in a slash and
   * means all in it: `{ "read": ["/etc/edge.conf"], "write": ["/var/lib/edge/"] }`.
   */
  readonly files?: { readonly read?: readonly string[]; readonly write?: readonly string[] }
  /** Programs that it may start, by their absolute paths: `/usr/bin/logger`. */
  readonly programs?: readonly string[]
  /** Variables of the environment that it gets, in capitals: `EDGE_TOKEN`. None that begins with `NODE_`, `LD_`, `BAILIFF_`, and not `PATH`. */
  readonly secrets?: readonly string[]
  /** Whether it gets `host.firewall`. Only an action may; its module says it, too: `capabilities: ['firewall']`. */
  readonly firewall?: boolean
}

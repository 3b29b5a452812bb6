import { readFileSync, statSync } from 'node:fs'
import type { TlsOptions } from 'node:tls'
import { BailiffError, quote, whyUnreadable } from '../../../core/plugin.ts'

/** Where the files are, by absolute path. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
  /** Who signs the certificates of clients; null: clients need none. */
  readonly ca: string | null
}

/** The certificates of a TLS listener, read again when they were renewed. */
export class Certificates {
  readonly #files: CertificateFiles
  #stamp = ''

  constructor(files: CertificateFiles) {
    this.#files = files
  }

  /** Throws a `BailiffError` that names the file that cannot be read. */
  read(): TlsOptions {
    const { cert, key, ca } = this.#files
    const clients = ca === null ? {} : { ca: contents(ca), requestCert: true, rejectUnauthorized: true }
    this.#stamp = this.#stamps()
    return { cert: contents(cert), key: contents(key), minVersion: 'TLSv1.2', ...clients }
  }

  /** New contents of the files, once; null where they are as before, or in the middle of being replaced. */
  renewed(): TlsOptions | null {
    if (this.#stamps() === this.#stamp) return null
    try {
      return this.read()
    } catch {
      return null
    }
  }

  #stamps(): string {
    const { cert, key, ca } = this.#files
    return [cert, key, ca ?? ''].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join(' ')
  }
}

function contents(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new BailiffError('no-input', `the certificate ${quote(path)} cannot be read: ${whyUnreadable(error)}`, {
      hint: 'the user of the agent must be able to read it: chgrp bailiff FILE && chmod 640 FILE',
      cause: error,
    })
  }
}

/**
 * What of Cloudflare's Lists API is needed (https://developers.cloudflare.com/waf/tools/lists/lists-api/). Items are changed
 * by operations that go on after the answer; an account has one at a time, and is answered 429 while it runs.
 */
import { setTimeout } from 'node:timers/promises'
import { RetryLater } from 'bailiff/plugin'

const usualPauseMs = 5000
const longestPauseMs = 600_000
const mostPages = 1000

/** Calls for one list. Each call ends with the signal, and throws RetryLater where Cloudflare wants to be left alone for a while. */
export class ListsApi {
  #items
  #operations
  #token
  #signal

  /** @param {{ api: string, account: string, list: string, token: string, signal: AbortSignal }} list */
  constructor({ api, account, list, token, signal }) {
    this.#items = `${api}/accounts/${account}/rules/lists/${list}/items`
    this.#operations = `${api}/accounts/${account}/rules/lists/bulk_operations`
    this.#token = token
    this.#signal = signal
  }

  /** All items of the list: `{ id, ip, comment }`. */
  async items() {
    const items = []
    let after = ''
    for (let page = 0; page < mostPages; page++) {
      const { result, result_info: info } = await this.#call('GET', `${this.#items}?per_page=500${after}`)
      items.push(...result)
      if (!info?.cursors?.after) return items
      after = `&cursor=${encodeURIComponent(info.cursors.after)}`
    }
    throw new Error(`the list has more than ${mostPages} pages`)
  }

  /** Adds items, `{ ip, comment }`; of those that are there the comment changes. Resolves when the list has them. */
  async add(items) {
    await this.#change('POST', items)
  }

  /** Removes items by their ids. Resolves when they are gone. */
  async remove(ids) {
    await this.#change('DELETE', { items: ids.map((id) => ({ id })) })
  }

  async #change(method, body) {
    const { result } = await this.#call(method, this.#items, body)
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      const { result: operation } = await this.#call('GET', `${this.#operations}/${result.operation_id}`)
      if (operation.status === 'completed') return
      if (operation.status === 'failed') throw new Error(`Cloudflare could not change the list: ${operation.error}`)
      await setTimeout(pauseMs, undefined, { signal: this.#signal })
    }
  }

  async #call(method, url, body) {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' }
    const answer = await fetch(url, {
      method,
      headers,
      // A redirect could carry the token elsewhere.
      redirect: 'error',
      signal: this.#signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (answer.status === 429) throw new RetryLater(pauseOf(answer.headers.get('retry-after')))
    const json = parsed(text)
    if (answer.ok && json?.success === true) return json
    const errors = json?.errors?.map(({ code, message }) => `${message} (${code})`) ?? []
    throw new Error(`Cloudflare answers ${answer.status}${errors.length === 0 ? '' : `: ${errors.join('; ')}`}`)
  }
}

/** How long `Retry-After` asks to wait (RFC 9110: seconds, or a date), in milliseconds. */
export function pauseOf(header, now = Date.now()) {
  const asked = /^\d+$/.test(header ?? '') ? Number(header) * 1000 : Date.parse(header ?? '') - now
  return Number.isNaN(asked) ? usualPauseMs : Math.min(Math.max(asked, 1000), longestPauseMs)
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

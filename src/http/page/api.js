// Talking to the server, with paths relative to where it is.
import { t } from './words.js';

// Says "lost" when the server no longer knows who is asking.
export const session = new EventTarget();

// What the server, or the network (status 0), has against a request.
export class Problem extends Error {
	constructor(status, body = {}, retryAfter) {
		const errors = body.errors?.map(({ message }) => message).join(' ');
		super(status ? errors || body.detail || body.title || `${status}` : t('noNet'));
		Object.assign(this, { status, retryAfter, current: body.current ?? body.comment, claim: body.claim });
	}
}

export function address(path, query = {}) {
	const url = new URL(path, new URL('..', import.meta.url));
	for (const [key, value] of Object.entries(query)) if (value) url.searchParams.set(key, value);
	return url;
}

async function call(method, path, { query, body, keepalive } = {}) {
	const headers = {};
	if (method !== 'GET') headers['X-Palabre-Page'] = '1';
	if (body) headers['Content-Type'] = 'application/json';
	const request = { method, headers, cache: 'no-store', keepalive, body: body && JSON.stringify(body) };
	const response = await fetch(address(path, query), request).catch(() => { throw new Problem(0); });
	const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
	if (response.ok) return answer;
	if (response.status === 401 && path.startsWith('v1/')) session.dispatchEvent(new Event('lost'));
	throw new Problem(response.status, answer, response.headers.get('Retry-After'));
}

export const get = (path, query) => call('GET', path, { query });
export const post = (path, body = {}, query) => call('POST', path, { body, query });
export const put = (path, body, options) => call('PUT', path, { body, ...options });
export const remove = (path, options) => call('DELETE', path, options);

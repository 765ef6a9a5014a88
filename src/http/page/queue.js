// The filter in the address bar, and the pages of the queue that it asks for.
import { get } from './api.js';

// The first six have the keys 1 to 6. To add one: a line here and its name in words.js.
export const TABS = [
	['threats', 'waiting', 'threat'], ['toxic', 'waiting', 'toxicity'], ['duplicates', 'waiting', 'duplicate'],
	['reported', 'reported'], ['waiting', 'waiting'], ['escalated', 'escalated'], ['appeals', 'appeals'], ['sampled', 'sampled'], ['all', 'all'],
].map(([name, queue, reason]) => ({ name, queue, reason }));

const QUEUES = ['waiting', 'escalated', 'appeals', 'reported', 'sampled'];

// All but `view` are the server's.
const FILTERS = ['view', 'queue', 'reason', 'site', 'thread', 'author', 'sort', 'q', 'collapse'];

export function readAddress() {
	const query = new URLSearchParams(location.search);
	const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? '']));
	return { ...filter, view: filter.view === 'stats' ? 'stats' : '', queue: filter.queue || 'waiting' };
}

export const addressOf = (filter) => `?${new URLSearchParams(FILTERS.filter((name) => filter[name]).map((name) => [name, filter[name]]))}`;

// A reason without a tab of its own belongs to its queue's.
export function tabOf({ queue, reason }) {
	const tabs = TABS.filter((tab) => tab.queue === queue);
	return tabs.find((tab) => tab.reason === reason) ?? tabs.find((tab) => !tab.reason);
}

// Undefined where the server does not say.
export function countOf({ queue, reason }, counts) {
	if (reason) return counts.reasons?.[reason];
	return queue === 'all' ? QUEUES.reduce((sum, name) => sum + (counts[name] ?? 0), 0) : counts[queue];
}

export const folds = ({ queue, collapse }) => queue === 'waiting' && collapse !== 'none';

const query = ({ view: _, ...filter }, queue) => ({ ...filter, queue, collapse: folds(filter) ? 'cluster' : '' });
const queuesOf = ({ queue }) => (queue === 'all' ? [...QUEUES] : [queue]);

export function claimFilter(filter) {
	const { sort: _, collapse: __, ...rest } = query(filter, queuesOf(filter)[0]);
	return Object.fromEntries(Object.entries(rest).filter(([, value]) => value));
}

export class Pager {
	#cursor;
	#queues;

	constructor(filter) {
		this.filter = filter;
		this.#queues = queuesOf(filter);
	}

	get done() { return !this.#queues.length; }

	async next() {
		const { items, next_cursor: cursor } = await get('v1/queue', { ...query(this.filter, this.#queues[0]), cursor: this.#cursor });
		this.#cursor = cursor;
		if (!cursor) this.#queues.shift();
		return items;
	}
}

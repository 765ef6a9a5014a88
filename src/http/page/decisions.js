// Decisions. The screen is ahead of the server: a card leaves at once, and comes back to its place, saying what
// happened, if the server does not agree.
import { get, post, Problem } from './api.js';
import { h } from './dom.js';
import { lease } from './card.js';
import { ago, t } from './words.js';

const BATCH = 200;
const DAY = 86_400_000;

const isPassing = ({ status }) => status === 0 || status === 429 || status >= 500;

// A large group takes several requests, each of which goes on where the one before had to stop.
async function whole(path, body) {
	let answer = await post(path, body);
	while (answer.group?.decided > 1 && !answer.group.complete) answer = await post(path, body);
	return answer;
}

export class Decisions {
	// My decisions: { ids, taken, generation, made: [{ id, group }] }.
	#stack = [];
	// The next request about a comment waits for the one before, and then knows the right version.
	#busy = new Map();

	constructor(feed, bar, siteOf) {
		Object.assign(this, { feed, bar, siteOf });
		// Not to be shown again, even if a page of the queue still has it.
		this.gone = new Set();
	}

	decide(item, action, details = {}) {
		return this.#step(action, this.#reach(item, details.scope), async (step) => {
			const { version, id } = item.comment;
			try {
				const { decision, comment: { version: now }, group } = await whole(`v1/comments/${id}/decisions`, { action, version, ...details });
				step.made.push({ id: decision.id });
				item.comment.version = now;
				// What the group left out is still to be decided.
				if (group?.left_out) for (const other of step.ids) if (other !== id) this.gone.delete(other);
			} catch (problem) {
				await this.#comeBack(step, [[item, problem]], () => this.decide(item, action, details));
			}
		});
	}

	batch(items, action) {
		return this.#step(action, items.map(({ comment }) => comment.id), async (step) => {
			const failed = [];
			for (let start = 0; start < items.length; start += BATCH) failed.push(...await this.#chunk(items.slice(start, start + BATCH), action, step));
			if (failed.length) await this.#comeBack(step, failed, (item) => this.decide(item, action));
		});
	}

	async #chunk(items, action, step) {
		const decisions = items.map(({ comment: { id, version } }) => ({ comment_id: id, action, version }));
		try {
			const { results, items: entries = results } = await post('v1/decisions:batch', { decisions });
			return items.flatMap((item, index) => {
				const { decision, comment, status, problem } = entries[index];
				if (!decision) return [[item, new Problem(status ?? problem?.status, problem ?? entries[index])]];
				step.made.push({ id: decision.id, group: decision.group_id });
				item.comment.version = comment?.version ?? decision.version;
				return [];
			});
		} catch (problem) {
			return items.map((item) => [item, problem]);
		}
	}

	async undo() {
		const step = this.#stack.pop();
		if (!step) return this.bar.say('');
		this.#putBack(step);
		this.feed.focus(step.ids[0]);
		this.bar.say(t('undone'), this.#stack.length > 0 && this.bar.button('undo'));
		await this.#after(step.ids, async () => {
			// Undoing one of a group undoes the group.
			const once = step.made.filter(({ group }, index, all) => !group || all.findIndex((other) => other.group === group) === index);
			for (const { id } of once) await this.#takeBack(step, id);
		});
	}

	async #takeBack({ taken }, id) {
		try {
			const { comment, group_id: group } = await whole(`v1/decisions/${id}/undo`);
			for (const { item } of taken) {
				if (item.comment.id === comment.id) item.comment = comment;
				else if (group) item.comment = await get(`v1/comments/${item.comment.id}`);
			}
		} catch (problem) {
			for (const { item } of taken) this.feed.tell(item.comment.id, await this.#explain(item, problem), this.#letGo(item));
		}
	}

	#step(action, ids, ask) {
		const step = { ids, generation: this.feed.generation, taken: this.feed.take(ids), made: [] };
		for (const id of ids) this.gone.add(id);
		this.#stack.push(step);
		this.bar.say(t(`did.${action}`) + (ids.length > 1 ? ` × ${ids.length}` : ''), this.bar.button('undo'));
		return this.#after(ids, () => ask(step));
	}

	#after(ids, task) {
		const run = Promise.allSettled(ids.map((id) => this.#busy.get(id))).then(task);
		for (const id of ids) this.#busy.set(id, run);
		return run;
	}

	// What a decision covers on the screen; what it is about comes first.
	#reach(item, scope) {
		const { id } = item.comment;
		const isCovered = (other) => other !== item && (
			(scope === 'duplicates' && other.duplicates?.cluster === item.duplicates.cluster)
			|| (scope === 'author_recent' && this.siteOf(other) === this.siteOf(item) && other.comment.author?.id === item.comment.author?.id && Date.now() - Date.parse(other.comment.created_at) < DAY)
			|| (scope === 'subtree' && other.ancestors?.some((above) => above.id === id)));
		return [id, ...this.feed.items.filter(isCovered).map(({ comment }) => comment.id)];
	}

	#putBack({ ids, taken, generation }) {
		for (const id of ids) this.gone.delete(id);
		if (generation === this.feed.generation) this.feed.restore(taken.filter(({ item }) => ids.includes(item.comment.id)));
	}

	async #comeBack(step, failures, retry) {
		const texts = await Promise.all(failures.map(([item, problem]) => this.#explain(item, problem)));
		const back = step.made.length ? failures.map(([item]) => item.comment.id) : step.ids;
		this.#putBack({ ...step, ids: back });
		step.ids = step.ids.filter((id) => !back.includes(id));
		if (!step.ids.length) this.#stack = this.#stack.filter((other) => other !== step);
		failures.forEach(([item, problem], index) => {
			const { id } = item.comment;
			this.feed.redraw(id);
			this.feed.tell(id, texts[index], isPassing(problem) ? [t('retry'), () => retry(item)] : this.#letGo(item));
		});
		const onclick = () => this.feed.focus(back[0]);
		this.bar.say(`${t('cameBack', { n: back.length })}: ${texts[0]}`, h('button', { onclick }, t('goThere')));
	}

	#letGo({ comment: { id } }) {
		return [t('letGo'), () => { this.gone.add(id); this.feed.take([id]); }];
	}

	// In words; brings the card up to date on the way.
	async #explain(item, { status, current, claim, message }) {
		if (status >= 500) return t('failed');
		// Its author may have appealed meanwhile, and is owed a note.
		if (status === 422) item.comment = await get(`v1/comments/${item.comment.id}`).catch(() => item.comment);
		if (status !== 409) return message;
		if (claim) {
			item.claim = claim;
			return lease(claim);
		}
		const { id, version, edited_at: edited } = item.comment;
		item.comment = current ?? item.comment;
		if (item.comment.edited_at !== edited) return t('by.edit');
		const { items } = await get('v1/decisions', { comment: id, site: this.siteOf(item), limit: 1 }).catch(() => ({ items: [] }));
		const latest = items.find((decision) => decision.version > version);
		return latest ? said(latest.action, latest.moderator, latest.at) : t('changed');
	}
}

// "Awa hid this 10 s ago."
export function said(action, who = t('somebody'), at = new Date().toISOString()) {
	const key = `by.${action}`;
	return t(key) === key ? t('changed') : t(key, { who, when: ago(at) });
}

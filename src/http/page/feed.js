// The cards on the screen. One that the moderator looks at does not move unless the moderator did something.
import { byId, h } from './dom.js';
import { card, others } from './card.js';
import { expand } from './spans.js';

const MINUTE = 60_000;

export class Feed {
	// { item, element, place }: by its place a card that left comes back to where it was.
	#entries = [];
	#focused = null;
	#places = { first: 0, last: 0 };
	#leaving = {};

	constructor(root, changed, looked) {
		Object.assign(this, { root, changed, looked });
		this.ticked = new Set();
		// What left an earlier list does not come back into this one.
		this.generation = 0;
		root.addEventListener('focusin', ({ target }) => this.choose(target.closest('.card')?.dataset.id));
	}

	get size() { return this.#entries.length; }
	get current() { return this.#focused?.item; }
	get items() { return this.#entries.map(({ item }) => item); }
	get(id) { return this.#find(id)?.item; }

	clear() {
		this.generation += 1;
		this.#entries = [];
		this.#focused = null;
		this.ticked.clear();
		this.root.replaceChildren();
	}

	append(items) {
		for (const item of items) this.#add(item, (this.#places.last += 1));
		this.#settle();
	}

	prepend(items) {
		for (const item of items.toReversed()) this.#add(item, (this.#places.first -= 1));
		this.#settle();
	}

	// Hands back what `restore` needs.
	take(ids) {
		this.#sweep(ids);
		const isTaken = ({ item }) => ids.includes(item.comment.id);
		const index = this.#entries.indexOf(this.#focused);
		const taken = this.#entries.filter(isTaken);
		const stays = (entry) => !isTaken(entry);
		const next = this.#entries.slice(index).find(stays) ?? this.#entries.slice(0, index).findLast(stays);
		this.#entries = this.#entries.filter(stays);
		for (const { element, item } of taken) {
			element.remove();
			this.ticked.delete(item.comment.id);
		}
		if (taken.includes(this.#focused)) this.#focus(next);
		this.changed();
		return taken;
	}

	restore(taken) {
		this.#still(() => {
			for (const { item, place } of taken) if (!this.get(item.comment.id)) this.#add(item, place);
			this.#settle();
		});
	}

	redraw(id) {
		const entry = this.#find(id);
		if (!entry) return;
		const { element } = entry;
		entry.element = this.#draw(entry.item);
		this.#still(() => element.replaceWith(entry.element));
		if (entry === this.#focused) this.#focus(entry);
	}

	redrawAll() { for (const { comment } of this.items) this.redraw(comment.id); }

	showClaim(id, claim) {
		const entry = this.#find(id);
		if (!entry) return;
		entry.item.claim = claim;
		this.#say(entry);
	}

	// One looks at one card at a time.
	showViewer(id, by) {
		for (const entry of this.#entries) {
			const { comment, viewers = [] } = entry.item;
			const left = viewers.filter((viewer) => viewer.by !== by);
			entry.item.viewers = comment.id === id ? [...left, { by }] : left;
			if (comment.id === id || left.length < viewers.length) this.#say(entry);
		}
		// Whoever goes away says nothing, and whoever stays is told of no more: the server believes either for a minute.
		clearTimeout(this.#leaving[by]);
		this.#leaving[by] = id && setTimeout(() => this.showViewer(null, by), MINUTE);
	}

	#say({ item, element }) {
		this.#still(() => { element.querySelector('.claim').textContent = others(item, this.me); });
	}

	// What became of a card, with a button: [label, onclick].
	tell(id, text, [label, onclick]) {
		const element = this.#find(id)?.element;
		element?.querySelector('.told')?.remove();
		this.#still(() => element?.prepend(h('div.told', {}, text, h('button', { onclick }, label))));
	}

	// A card decided elsewhere goes at once if it is out of sight below; else it says so, and goes when the moderator moves on.
	settle(id, text) {
		const entry = this.#find(id);
		if (!entry) return;
		const { element } = entry;
		if (entry !== this.#focused && element.getBoundingClientRect().top > innerHeight) return this.#remove([entry]);
		entry.settled = true;
		element.querySelector('.fate')?.remove();
		element.append(h('div.fate', {}, text));
		element.classList.add('settled');
		this.tick(id, false);
	}

	move(steps) {
		const from = this.#focused;
		const index = this.#entries.indexOf(from);
		const way = steps > 0 ? this.#entries.slice(index + 1) : this.#entries.slice(0, Math.max(index, 0)).toReversed();
		this.#focus(way.find(({ settled }) => !settled) ?? from);
		this.#sweep();
	}

	focus(id) { this.#focus(this.#find(id)); }
	refocus() { this.#focus(this.#focused ?? this.#entries[0]); }

	// Without scrolling to it.
	choose(id) {
		const entry = this.#find(id);
		if (!entry || entry === this.#focused) return;
		this.#focused?.element.classList.remove('current');
		entry.element.classList.add('current');
		this.#focused = entry;
		this.looked();
	}

	tick(id, on = !this.ticked.has(id)) {
		this.ticked[on ? 'add' : 'delete'](id);
		this.#find(id).element.querySelector('.tick input').checked = on;
	}

	tickAll(on) { for (const { comment } of this.items) this.tick(comment.id, on); }
	reveal() { this.#focused?.element.classList.add('seen'); }

	expand() {
		if (this.#focused) expand(this.#focused.element);
		this.reveal();
	}

	#find(id) { return this.#entries.find(({ item }) => item.comment.id === id); }
	#draw(item) { return card(item, this.me, this.ticked.has(item.comment.id)); }
	#add(item, place) { this.#entries.push({ item, place, element: this.#draw(item) }); }

	#settle() {
		this.#entries.sort((a, b) => a.place - b.place);
		this.#entries.forEach(({ element }, index) => {
			if (this.root.children[index] !== element) this.root.insertBefore(element, this.root.children[index]);
		});
		this.changed();
	}

	// What others decided goes, but for what the moderator is at.
	#sweep(ids = []) {
		const goes = (entry) => entry.settled && entry !== this.#focused && !ids.includes(entry.item.comment.id);
		this.#remove(this.#entries.filter(goes));
	}

	#remove(gone) {
		if (!gone.length) return;
		this.#entries = this.#entries.filter((entry) => !gone.includes(entry));
		this.#still(() => gone.forEach(({ element }) => element.remove()));
		for (const { item } of gone) this.ticked.delete(item.comment.id);
		this.changed();
	}

	// Scrolls by what a change moved the card under the pointer, or else the focused one.
	#still(change) {
		const anchor = this.root.querySelector('.card:hover') ?? this.#focused?.element;
		const before = anchor?.getBoundingClientRect().top;
		change();
		if (anchor?.isConnected) scrollBy(0, anchor.getBoundingClientRect().top - before);
	}

	#focus(entry) {
		if (!entry) {
			this.#focused = null;
			return;
		}
		const { element, item } = entry;
		this.choose(item.comment.id);
		element.classList.add('current');
		// Dialogs and fields keep the focus.
		if (!document.querySelector('dialog[open]') && !document.activeElement.matches('input:not([type=checkbox]), select')) element.focus({ preventScroll: true });
		const room = innerHeight - byId('top').offsetHeight - byId('bar').offsetHeight;
		element.scrollIntoView({ block: element.offsetHeight > room ? 'start' : 'nearest' });
	}
}

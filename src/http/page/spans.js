// A comment's text, with what the model saw underlined, and what it quotes from above greyed.
import { h } from './dom.js';
import { t } from './words.js';

// A text longer than this is folded.
const LONG = { characters: 700, lines: 8 };

// The spans of the labels it waits for; all where it waits for something else.
function telling({ highlights = [], comment }) {
	const chosen = highlights.filter(({ label }) => comment.reasons?.some(({ code }) => code === label));
	return chosen.length ? chosen : highlights;
}

// The text in nodes. Spans count Unicode scalar values and may overlap: the text is cut wherever one starts or ends, and
// a piece under several labels lies in one element for each, so that every underline stays visible. What is an insult or
// a threat need not be called toxic besides.
function marked(item) {
	const letters = Array.from(item.comment.body ?? '');
	const spans = [...telling(item), ...(item.quotes ?? []).map((span) => ({ ...span, label: 'quote' }))];
	const edges = [...new Set([0, letters.length, ...spans.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
	return edges.slice(1).map((end, index) => {
		const start = edges[index];
		const labels = new Set(spans.filter((span) => span.start <= start && span.end >= end).map(({ label }) => label));
		if ([...labels].some((label) => !['toxicity', 'quote'].includes(label))) labels.delete('toxicity');
		return [...labels].reduce(wrap, letters.slice(start, end).join(''));
	});
}

const wrap = (inner, label) => (label === 'quote' ? h('span.quote', {}, inner) : h(`mark.is-${label}`, { title: t(`r.${label}`) }, inner));

// The button that unfolds a text says what is marked out of sight.
export function body(item) {
	const text = h('div.text', { dir: 'auto' }, marked(item));
	const source = item.comment.body ?? '';
	if (source.length <= LONG.characters && source.split('\n').length <= LONG.lines) return text;
	text.classList.add('folded');
	const n = telling(item).filter(({ start }) => start > LONG.characters).length;
	return [text, h('button.link.unfold', { 'data-do': 'expand', 'aria-expanded': 'false' }, t('showAll'), n > 0 && ` – ${t('marksBelow', { n })}`)];
}

export function expand(card) {
	const button = card.querySelector('.unfold');
	if (!button) return;
	const folded = card.querySelector('.text').classList.toggle('folded');
	button.textContent = t(folded ? 'showAll' : 'showLess');
	button.ariaExpanded = String(!folded);
}

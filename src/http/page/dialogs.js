// The browser's own <dialog> keeps the focus inside, closes on Escape and gives the focus back.
import { cross, h } from './dom.js';
import { t } from './words.js';

// `fill` gets a function that closes the dialog with an answer.
export function open(title, fill, onkey) {
	return new Promise((resolve) => {
		let answer = null;
		const close = (value) => { answer = value; dialog.close(); };
		const dialog = h('dialog', { 'aria-label': title }, h('header', {}, h('h2', {}, title), cross(() => close(null))), fill(close));
		dialog.addEventListener('keydown', (event) => onkey?.(event, close));
		dialog.addEventListener('click', (event) => event.target === dialog && close(null));
		dialog.addEventListener('close', () => { dialog.remove(); resolve(answer); });
		document.body.append(dialog);
		dialog.showModal();
	});
}

// One of several [key, label, value].
export function choose(title, choices) {
	const onkey = (event, close) => {
		const choice = choices.find(([key]) => key === event.key.toLowerCase());
		if (!choice || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
		event.preventDefault();
		close(choice[2]);
	};
	const button = ([key, label, value], close) => h('button', { onclick: () => close(value) }, h('kbd', {}, key), label);
	return open(title, (close) => h('div.choices', {}, choices.map((choice) => button(choice, close))), onkey);
}

export function compose(title, label) {
	return open(title, (close) => {
		const field = h('textarea', { rows: 4, required: true, maxlength: 2000, autofocus: true, dir: 'auto' });
		return h('form', { onsubmit: (event) => { event.preventDefault(); close(field.value.trim()); } }, h('label', {}, label, field), h('button.primary', {}, t('send')));
	}, ({ key, ctrlKey, metaKey, target }) => key === 'Enter' && (ctrlKey || metaKey) && target.form?.requestSubmit());
}

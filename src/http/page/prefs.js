// What this browser remembers; one that forbids storage forgets it, and that is all.

const PREFIX = 'palabre.';

export function pref(name, fallback = null) {
	try {
		return localStorage.getItem(PREFIX + name) ?? fallback;
	} catch {
		return fallback;
	}
}

export function remember(name, value) {
	try {
		localStorage.setItem(PREFIX + name, value);
	} catch {
		// The choice holds until the page is closed.
	}
}

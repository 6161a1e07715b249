// What screen readers call the search, which the theme leaves without a name.
document.querySelector('[data-md-component="search"]')?.setAttribute("aria-label", "Search");

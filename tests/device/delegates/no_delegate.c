/* A library as there are many: it loads, and is no delegate. */
__attribute__((visibility("default"))) int answer(void) { return 42; }

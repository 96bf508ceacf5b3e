// Carries the precompiled header; it holds no code.

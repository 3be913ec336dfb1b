int* uses_new() { return new int{1}; }

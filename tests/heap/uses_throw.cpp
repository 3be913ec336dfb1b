void uses_throw(int value) {
    if (value > 0) throw value;
}

struct Noisy {
    explicit Noisy(int first);
    ~Noisy();
};

void uses_local_static(int first) { static const Noisy noisy{first}; }

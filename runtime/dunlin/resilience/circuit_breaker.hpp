#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>

#include <cstdint>

namespace dunlin::resilience {

enum class CircuitState : std::uint8_t {
    closed,     // asked like anybody else
    open,       // silent again and again: not asked until its pause is over
    half_open,  // asked once; its answer closes the circuit, its silence opens it for longer
};

// Whether somebody who keeps silent is worth asking (Nygard, "Release It!", 2nd ed. ch. 5). Closed -> open after kFailures
// silences in a row; open -> half-open when the pause is over, for one question; that closes it or opens it for a longer pause:
// full jitter up to 0.5 s, doubling up to 8 s, so that those who lost the same peer do not come back to it together. A probe whose
// fate is never told counts as failed after kProbeTime. O(1), 4 bytes; moments are kept in units of 8 ms, 16 bits of them, which
// come round every nine minutes: one that nobody looked at for so long may stay open for a pause more.
class CircuitBreaker {
  public:
    static constexpr std::uint8_t kFailures = 3;
    static constexpr Duration kPauseBase = milliseconds{500};
    static constexpr Duration kPauseMax = seconds{8};
    static constexpr Duration kProbeTime = seconds{1};

    [[nodiscard]] CircuitState state() const { return state_; }
    // It may be asked now: closed, or due for its probe.
    [[nodiscard]] bool admits(Instant now) const { return state_ == CircuitState::closed || pause_over(now); }
    // It is asked now. True: this is its probe, and the circuit is half-open.
    bool on_asked(Instant now);
    // It answered, whatever the answer. True: this closed the circuit.
    bool on_answer();
    // It did not answer. True: this opened the circuit.
    bool on_silence(Instant now, Random& random);
    // It was heard, though not as an answer: if it is open, it is due for its probe.
    void on_sign_of_life(Instant now);

  private:
    [[nodiscard]] bool pause_over(Instant now) const;
    void pause_for(Instant now, Duration pause);

    std::uint16_t until_low_ = 0;  // unless closed: the end of the pause, or of the probe
    std::uint8_t failures_ = 0;    // in a row; with those of probes, the number of the pause
    CircuitState state_ = CircuitState::closed;
};
static_assert(sizeof(CircuitBreaker) == 4);

}  // namespace dunlin::resilience

#include <dunlin/consensus/progress.hpp>

#include <algorithm>

namespace dunlin::consensus {

void Progress::begin_term(LogIndex last, Instant now) {
    end_term();
    mode = Mode::probe;
    in_flight = 0;
    answers = false;
    blocked = false;
    state_agrees = state_differs = false;
    feature_level = 0;
    match = {};
    next = last.next();
    acked_round = sent_round = rewind_round = 0;
    heard = now;
    advanced = now;
    restart_image();
    image_falls = 0;
}

void Progress::end_term() {
    heartbeat_owed = false;
    vote_request_owed = false;
    timeout_now_owed = false;
    granted = false;
}

void Progress::on_answer(std::uint64_t round, Instant now) {
    heard = now;
    answers = true;
    acked_round = std::max(acked_round, round);
    if (round >= sent_round)
        in_flight = 0;
    else if (in_flight > 0)
        --in_flight;
}

void Progress::on_success(LogIndex index, Instant now) {
    if (mode == Mode::probe) mode = Mode::replicate;
    if (index <= match) return;
    match = index;
    image_falls = 0;
    next = std::max(next, match.next());
    advanced = now;
}

void Progress::on_refusal(LogIndex agreed, std::uint64_t round, std::uint64_t latest) {
    if (round <= rewind_round) return;
    next = std::max(match.next(), std::min(next, agreed.next()));
    mode = Mode::probe;
    in_flight = 0;
    rewind_round = latest;
}

void Progress::on_image_offset(std::uint32_t offset, Instant now) {
    if (offset > image_acked) {
        image_moved = true;
        if (image_falls < kImageFallsMax) advanced = now;
    }
    if (in_flight == 0) return resume_image(offset);  // everything sent was answered: what is not there was lost
    image_acked = std::max(image_acked, offset);
    image_sent = std::max(image_sent, image_acked);
}

void Progress::owe_heartbeat(Instant now, Duration silence, std::uint32_t image_bytes) {
    heartbeat_owed = true;
    answers = answers && now - heard < silence;
    blocked = false;
    if (mode == Mode::probe) in_flight = 0;
    if (mode == Mode::image && !image_moved) {
        in_flight = 0;
        // All of it arrived and nothing came of it: the follower has crashed before it was durable there.
        resume_image(image_acked == image_bytes ? 0 : image_acked);
    }
    image_moved = false;
}

void Progress::choose_mode(LogIndex base) {
    const bool behind = next.previous() < base;
    if (behind == (mode == Mode::image)) return;
    mode = behind ? Mode::image : Mode::probe;
    in_flight = 0;
    restart_image();
    if (!behind) image_falls = 0;
}

void Progress::restart_image() {
    resume_image(0);
    image_moved = true;  // it has until the heartbeat after the next
}

void Progress::resume_image(std::uint32_t offset) {
    if (offset < image_acked && image_falls < kImageFallsMax) ++image_falls;
    image_acked = image_sent = offset;
}

bool Progress::may_send_entries(std::uint8_t in_flight_max) const {
    if (blocked || mode == Mode::image) return false;
    return mode == Mode::probe ? in_flight == 0 : in_flight < in_flight_max;
}

}  // namespace dunlin::consensus

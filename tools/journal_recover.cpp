#include "journal_copy.hpp"
#include "ledger_replay.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"
#include "values.hpp"

#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/ledger/image.hpp>
#include <dunlin/node/records.hpp>

#include <dunlin_asio/entropy.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dunlin_tool {
namespace {

constexpr std::uint64_t kFloorMax = 1'000'000'000'000'000;  // far below what a number in JSON holds
constexpr std::uint64_t kSecondUs = 1'000'000;

struct RecoverArguments {
    std::string old_journal;
    std::string new_journal;
    std::uint64_t floor = 0;
    std::string longest_ttl = "1h";
};

// The last index, or the highest token, that the survivor knows of.
std::uint64_t highest_index(const JournalContents& contents) {
    std::uint64_t highest = std::max(contents.replica.last_index(), contents.highest_token);
    for (const auto& [lease, token] : contents.fence_floors) highest = std::max(highest, token);
    return highest;
}

// The longest ttl of a lease in that state, in microseconds.
std::uint64_t longest_ttl_us(std::span<std::byte> image_bytes) {
    dunlin::ledger::ImageHeader header{};
    std::memcpy(&header, image_bytes.data(), sizeof header);
    const dunlin::ledger::Image image(image_bytes, header.limits);
    std::uint64_t longest = 0;
    for (std::size_t slot = 0; slot < header.limits.leases; ++slot) {
        const dunlin::ledger::LeaseRow lease = image.lease(slot);
        if (lease.token != 0) longest = std::max<std::uint64_t>(longest, lease.ttl_us);
    }
    return longest;
}

// `bytes`: the ledger's image. It becomes the first state of a cluster that begins with entry `floor`, with `voter` alone.
void begin_anew(std::vector<std::byte>& bytes, const dunlin::ledger::MemberRow& voter, dunlin::ClusterIncarnation incarnation,
                dunlin::Term term, std::uint64_t floor, dunlin::Duration longest_ttl) {
    dunlin::ledger::ImageHeader header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    dunlin::ledger::Image image(bytes, header.limits);
    const std::uint64_t now = header.cluster_time;
    image.header().incarnation = incarnation.value();
    image.header().applied_index = image.header().voters_index = floor;
    image.header().applied_term = term.value();
    const std::uint64_t after = now + static_cast<std::uint64_t>(dunlin::to_us(longest_ttl));
    const std::uint64_t whole_seconds = (after + kSecondUs - 1) / kSecondUs;  // fits for 136 years
    image.header().grants_after = std::max(header.grants_after, static_cast<std::uint32_t>(whole_seconds));
    for (std::size_t slot = 0; slot < dunlin::ledger::member_rows(header.limits); ++slot)
        image.store(slot, slot == 0 ? voter : dunlin::ledger::MemberRow{});
    for (std::size_t slot = 0; slot < header.limits.leases; ++slot) {
        dunlin::ledger::LeaseRow lease = image.lease(slot);
        if (lease.token == 0) continue;
        lease.deadline = now + lease.ttl_us;  // it may have been renewed after the last that is known here
        lease.token = floor;                  // or granted anew: a fence that asks for its floor must admit nobody of before
        image.store(slot, lease);
    }
    image.seal();
}

std::vector<OwnedRecord> records_of(std::span<const std::byte> image, dunlin::Term term, std::size_t payload_bytes_max) {
    std::vector<OwnedRecord> records;
    const std::size_t chunk_bytes = payload_bytes_max - sizeof(dunlin::ImageChunkRecord);
    for (std::size_t at = 0; at < image.size(); at += chunk_bytes) {
        const dunlin::ImageChunkRecord head{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(image.size())};
        const auto piece = image.subspan(at, std::min(chunk_bytes, image.size() - at));
        OwnedRecord record = OwnedRecord::of(dunlin::journal::RecordKind::image_chunk, head);
        record.bytes.insert(record.bytes.end(), piece.begin(), piece.end());
        records.push_back(std::move(record));
    }
    const dunlin::consensus::HardStateRecord hard_state{.term = term.value()};
    records.push_back(OwnedRecord::of(dunlin::journal::RecordKind::hard_state, hard_state));
    return records;
}

ExitCode recover(const RecoverArguments& arguments) {
    const auto longest_ttl = read_duration(arguments.longest_ttl);
    if (!longest_ttl || *longest_ttl < dunlin::Duration::zero() || *longest_ttl > dunlin::ledger::kLeaseTtlMax)
        throw ToolError(kUsage, std::string("--longest-ttl must be ") + kDurationForm + ", 1h at most, which no lease is longer than.");
    const JournalCopy old(arguments.old_journal);
    const ReplicaContents& replica = old.contents().replica;
    std::vector<std::byte> image = replay_ledger(replica, old.name());
    if (const std::uint64_t highest = highest_index(old.contents()); arguments.floor <= highest) {
        throw ToolError(kUsage, "--floor " + std::to_string(arguments.floor) + " is not above " + std::to_string(highest) +
                                    ", the highest log index or token in " + old.name() +
                                    "; the voters that are lost may have gone further.");
    }
    if (const std::uint64_t known = longest_ttl_us(image); static_cast<std::uint64_t>(dunlin::to_us(*longest_ttl)) < known) {
        throw ToolError(kUsage, "--longest-ttl " + arguments.longest_ttl + " is less than the " + std::to_string(known / 1000) +
                                    " ms of a lease in " + old.name() + "; the lost voters may have granted others as long.");
    }
    const dunlin::StorageId storage{dunlin_asio::random_nonzero_u64()};
    const dunlin::ClusterIncarnation incarnation{dunlin_asio::random_nonzero_u64()};
    const dunlin::Term term{std::max(replica.term, replica.last_term()) + 1};
    const VoterEntry self = old.entry(storage);
    begin_anew(image, dunlin::ledger::voter_row(self.node, storage, std::as_bytes(std::span(self.address))), incarnation, term,
               arguments.floor, *longest_ttl);
    old.make(arguments.new_journal, storage, incarnation, records_of(image, term, old.payload_bytes_max()));
    std::printf("cluster '%s' goes on as incarnation %s, behind log index %llu, with node %u as its only voter\n",
                std::string(old.contents().format.cluster_name()).c_str(), hexadecimal(incarnation.value()).c_str(),
                static_cast<unsigned long long>(arguments.floor), static_cast<unsigned>(self.node.value()));
    std::printf("taken over: the log up to index %llu of term %llu; what only the lost voters had is gone\n",
                static_cast<unsigned long long>(replica.last_index()), static_cast<unsigned long long>(replica.last_term()));
    std::printf("no lease is granted for the first %s: the lost voters may have granted some\n", arguments.longest_ttl.c_str());
    return kDone;
}

}  // namespace

void add_journal_recover(CLI::App& journal, Action& action) {
    auto arguments = std::make_shared<RecoverArguments>();
    CLI::App* const verb = journal.add_subcommand(
        "recover", "Begin a cluster anew from the journal of one voter, when a majority of its voters is lost for good");
    verb->add_option("OLD", arguments->old_journal, "Journal of the survivor, stopped; it is not changed")->required();
    verb->add_option("NEW", arguments->new_journal, "Journal to make for it")->required();
    verb->add_option("--floor", arguments->floor,
                     "The new log begins behind this index: above every index and token that the cluster ever gave, seen or not")
        ->required()
        ->check(CLI::Range(std::uint64_t{1}, kFloorMax))
        ->type_name("N");
    verb->add_option("--longest-ttl", arguments->longest_ttl, "Of any lease that the lost voters may have granted: until then, none is")
        ->capture_default_str()
        ->type_name("TIME");
    verb->footer(
        "Take the survivor whose log goes furthest (`dunlin journal inspect`: last term, then last index), and a floor a million\n"
        "above the highest index that any of them shows. Entries that it does not have are lost, though they were committed.\n"
        "The lost voters must never run again with their old journals. Then start its node with NEW, make the others' journals\n"
        "with `dunlin journal rebind` or `dunlin join`, and add them with `dunlin member`.\n"
        "Exit status: 0 NEW was made; 2 wrong command line, or a floor that is too low; 3 OLD cannot be used, or NEW cannot be made.");
    verb->callback([&action, arguments] { action = [arguments] { return recover(*arguments); }; });
}

}  // namespace dunlin_tool

#include "journal_json.hpp"
#include "subcommands.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace dunlin_tool {
namespace {

using Json = nlohmann::ordered_json;
using Verdict = JournalInspection::Verdict;

struct JournalArguments {
    std::string file;
    bool json = false;
};

// What a file says in letters goes to a terminal: nothing in it commands one.
std::string plain(const Json& value) {
    if (!value.is_string()) return value.dump();
    std::string text = value.get<std::string>();
    std::ranges::replace_if(
        text, [](char each) { return static_cast<unsigned char>(each) < ' ' || each == '\x7f'; }, '?');
    return text;
}

std::string of(const Json& object, const char* key) { return plain(object.at(key)); }

void say(const std::string& line) { std::printf("%s\n", line.c_str()); }

std::string verdict_line(const Json& journal) {
    const std::string integrity = of(journal, "integrity");
    if (integrity == "whole") return "whole";
    if (integrity == "another_size") {
        return "not whole: the file has " + of(journal, "bytes") +
               " bytes, and the journal was made in a file of another size: cut short, or a part of it";
    }
    if (integrity == "torn_tail") {
        const Json& torn = journal.at("torn");
        return "whole, but for " + of(torn, "bytes") + " bytes or more from byte " + of(torn, "offset") +
               " on that were written last and never synced: nothing was promised of them, and the next start cuts them off";
    }
    if (!journal.contains("damage")) return "corrupt: neither bank has a header that counts";
    const Json& damage = journal.at("damage");
    const std::string place = " at byte " + of(damage, "offset") + ", in bank " + of(damage, "bank");
    if (damage.at("where") == "header") return "corrupt: the header" + place + ", contradicts the other bank's, or itself";
    return "corrupt: record " + of(damage, "record") + place +
           (damage.contains("malformed") ? ", is not what its kind says" : ", cannot be read");
}

void print_banks(const Json& journal) {
    for (std::size_t i = 0; i < journal.at("banks").size(); ++i) {
        const Json& bank = journal.at("banks")[i];
        const std::string generation = bank.contains("generation") ? ", generation " + of(bank, "generation") : "";
        say("bank " + std::to_string(i) + " at byte " + of(bank, "offset") + ": " + of(bank, "state") + generation +
            (bank.at("current") == true ? ", current" : ""));
    }
}

void print_replica(const Json& replica) {
    const std::string vote = replica.at("voted_for") == 0 ? "no vote in it" : "vote for node " + of(replica, "voted_for");
    say("replica: term " + of(replica, "term") + ", " + vote);
    const std::string range =
        replica.at("first_index") == 0 ? "no entries behind the snapshot" : of(replica, "first_index") + ".." + of(replica, "last_index");
    say("log: " + range + ", last term " + of(replica, "last_term") + ", committed up to " + of(replica, "commit") + " at least");
    for (const Json& each : replica.at("members"))
        say("  " + of(each, "standing") + " " + of(each, "id") + ": " + of(each, "address") + ", storage " + of(each, "storage"));
    if (!replica.contains("snapshot")) return say("snapshot: none");
    const Json& snapshot = replica.at("snapshot");
    say("snapshot: index " + of(snapshot, "index") + ", term " + of(snapshot, "term") + ", " + of(snapshot, "keys") + " keys, " +
        of(snapshot, "sessions") + " sessions, " + std::to_string(snapshot.at("leases").size()) + " leases");
    if (snapshot.contains("grants_after_s"))
        say("  no lease is granted before cluster time " + of(snapshot, "grants_after_s") + " s: the cluster was recovered by force");
    for (const Json& lease : snapshot.at("leases"))
        say("  lease '" + of(lease, "name") + "': token " + of(lease, "token") + ", node " + of(lease, "holder"));
}

void print_bus(const Json& journal) {
    const Json& outbox = journal.at("outbox");
    say("outbox: " + of(outbox, "messages") + " messages, " + of(outbox, "deliveries_to_be_sent") + " deliveries to be sent, " +
        of(outbox, "outcomes_to_be_told") + " outcomes to be told; position " + of(outbox, "position") +
        " (of pub: " + of(outbox, "position_bytes") + " bytes)");
    for (const Json& each : journal.at("subscriptions"))
        say("  owed to node " + of(each, "node") + ", durable subscription " + of(each, "durable_id") + ": '" + of(each, "filter") + "'");
    const Json& inbox = journal.at("inbox");
    say("inbox: position " + of(inbox, "position") + " (of sub: " + of(inbox, "position_bytes") + " bytes)");
    for (const Json& mark : inbox.at("watermarks"))
        say("  from node " + of(mark, "publisher") + ", lane " + of(mark, "lane") + ": settled up to " + of(mark, "settled_through"));
    const Json& keys = journal.at("idempotency_keys");
    const bool any = keys.contains("first_expires_ms");
    say("idempotency keys: " + of(keys, "count") +
        (any ? ", with " + of(keys, "first_expires_ms") + " to " + of(keys, "last_expires_ms") + " ms to live when written" : ""));
    for (const Json& floor : journal.at("fence_floors"))
        say("fence of lease " + of(floor, "lease") + ": tokens from " + of(floor, "token"));
}

void print_contents(const Json& journal) {
    if (journal.at("integrity") == "corrupt") say("in front of the damage:");
    say("node " + of(journal, "id") + " of cluster '" + of(journal, "cluster_name") + "', " + of(journal, "role") + ", storage " +
        of(journal, "storage") + ", boot epoch " + of(journal, "epoch") +
        (journal.contains("cluster") ? ", incarnation " + of(journal, "cluster") : ", not yet met its cluster"));
    say("format " + of(journal, "format_version") + ", " + of(journal, "used_bytes") + " of " + of(journal, "capacity_bytes") +
        " bytes used, last record " + of(journal, "last_record"));
    std::string counts;
    for (const auto& [kind, count] : journal.at("records").items()) counts += (counts.empty() ? "" : ", ") + count.dump() + " " + kind;
    say("records: " + counts);
    if (journal.contains("replica")) print_replica(journal.at("replica"));
    print_bus(journal);
}

ExitCode inspect(const JournalArguments& arguments) {
    const JournalInspection inspection = inspect_journal(arguments.file);
    const Json journal = journal_json(arguments.file, inspection);
    if (arguments.json) {
        say(journal.dump(-1, ' ', false, Json::error_handler_t::replace));
    } else {
        say(arguments.file + ": " + verdict_line(journal));
        if (inspection.in_use) say("a node has it open: this is what it held a moment ago");
        print_banks(journal);
        if (inspection.contents) print_contents(journal);
    }
    if (std::fflush(stdout) != 0) return kFailed;
    return inspection.verdict == Verdict::whole || inspection.verdict == Verdict::torn_tail ? kDone : kFailed;
}

}  // namespace

void add_journal(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<JournalArguments>();
    CLI::App* const command = app.add_subcommand("journal", "Look into a node's journal; make another of it when the cluster is lost");
    command->require_subcommand(1);
    CLI::App* const verb = command->add_subcommand(
        "inspect", "Show what a journal holds, and whether it is whole. Nothing of it is changed, and its node may run meanwhile");
    verb->add_option("FILE", arguments->file, "Journal of a publisher, a subscriber or a voter")->required();
    verb->add_flag("--json", arguments->json, "One JSON object");
    verb->footer(
        "Exit status: 0 it is whole, perhaps but for a torn tail, which every crash may leave; 1 it is corrupt or cut short: its node\n"
        "must not go on with it; 2 wrong command line; 3 it cannot be read, or is no journal of this version of dunlin.");
    verb->callback([&action, arguments] { action = [arguments] { return inspect(*arguments); }; });
    add_journal_recover(*command, action);
    add_journal_rebind(*command, action);
}

}  // namespace dunlin_tool

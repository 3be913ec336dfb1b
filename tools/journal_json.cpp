#include "journal_json.hpp"

#include "file_mark.hpp"
#include "status_json.hpp"
#include "values.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace dunlin_tool {
namespace {

using Json = nlohmann::ordered_json;
using dunlin::journal::BankHeaderKind;

std::string_view integrity_of(JournalInspection::Verdict verdict) {
    switch (verdict) {
        case JournalInspection::Verdict::whole: return "whole";
        case JournalInspection::Verdict::torn_tail: return "torn_tail";
        case JournalInspection::Verdict::corrupt: return "corrupt";
        case JournalInspection::Verdict::another_size: return "another_size";
    }
    return "unknown";
}

std::string_view state_of(const JournalInspection::Bank& bank) {
    using dunlin::journal::BankState;
    if (bank.kind == BankHeaderKind::blank) return "blank";
    if (bank.kind != BankHeaderKind::valid) return "unreadable";
    switch (bank.header.state) {
        case BankState::none: break;
        case BankState::building: return "building";
        case BankState::active: return "active";
        case BankState::retired: return "retired";
    }
    return "unreadable";
}

Json banks_json(const JournalInspection& inspection) {
    Json banks = Json::array();
    for (std::size_t i = 0; i < inspection.banks.size(); ++i) {
        const JournalInspection::Bank& bank = inspection.banks[i];
        Json json{{"offset", i * inspection.bank_bytes}, {"state", state_of(bank)}, {"current", inspection.current == i}};
        if (bank.kind == BankHeaderKind::valid) {
            json["generation"] = bank.header.generation;
            json["storage"] = hexadecimal(bank.header.storage);
            json["bytes"] = bank.header.bank_bytes;
        }
        banks.push_back(std::move(json));
    }
    return banks;
}

Json names_json(const JournalContents& contents) {
    Json json{{"id", contents.format.node.value()},
              {"cluster_name", contents.format.cluster_name()},
              {"role", contents.replica.present ? "voter" : "member"},
              {"storage", hexadecimal(contents.format.storage.value())},
              {"stream", hexadecimal(contents.format.stream.value())},
              {"epoch", contents.epoch.value()}};
    if (contents.incarnation != dunlin::ClusterIncarnation{}) json["cluster"] = hexadecimal(contents.incarnation.value());
    return json;
}

Json records_json(const JournalContents& contents) {
    Json json = Json::object();
    for (const auto& [kind, count] : contents.records) {
        Json& known = json[std::string(name_of(kind))];
        known = count + (known.is_null() ? 0 : known.get<std::uint64_t>());
    }
    return json;
}

Json outbox_json(const JournalContents& contents) {
    std::uint64_t to_be_sent = 0;
    std::uint64_t to_be_told = 0;
    for (const auto& [publish, deliveries] : contents.outbox) {
        for (const auto& [subscriber, delivery] : deliveries) ++(delivery.outcome_known ? to_be_told : to_be_sent);
    }
    return {{"messages", contents.outbox.size()},
            {"deliveries_to_be_sent", to_be_sent},
            {"outcomes_to_be_told", to_be_told},
            {"position", hexadecimal(contents.publish_position)},
            {"position_bytes", bytes_before(contents.publish_position)}};
}

Json subscriptions_json(const JournalContents& contents) {
    Json json = Json::array();
    for (const auto& [subscriber, filter] : contents.subscriptions)
        json.push_back({{"node", subscriber.first}, {"durable_id", subscriber.second & dunlin::kDurableIdMax}, {"filter", filter}});
    return json;
}

Json inbox_json(const JournalContents& contents) {
    Json watermarks = Json::array();
    for (const auto& [from, mark] : contents.watermarks) {
        watermarks.push_back({{"publisher", from.first},
                              {"lane", from.second},
                              {"stream", hexadecimal(mark.stream.value())},
                              {"settled_through", mark.settled_through.value()},
                              {"outcomes_to_be_told", mark.notes}});
    }
    return {{"position", hexadecimal(contents.receive_position)},
            {"position_bytes", bytes_before(contents.receive_position)},
            {"watermarks", std::move(watermarks)}};
}

Json keys_json(const JournalContents& contents) {
    Json json{{"count", contents.keys.size()}, {"not_counting_yet", contents.unconfirmed_keys.size()}};
    if (contents.keys.empty()) return json;
    const auto remaining = [](const auto& each) { return each.second.remaining_us; };
    json["first_expires_ms"] = std::ranges::min_element(contents.keys, {}, remaining)->second.remaining_us / 1000;
    json["last_expires_ms"] = std::ranges::max_element(contents.keys, {}, remaining)->second.remaining_us / 1000;
    return json;
}

Json fences_json(const JournalContents& contents) {
    Json json = Json::array();
    for (const auto& [lease, token] : contents.fence_floors) json.push_back({{"lease", hexadecimal(lease)}, {"token", token}});
    return json;
}

Json replica_json(const ReplicaContents& replica) {
    Json members = Json::array();
    for (const dunlin::ledger::MemberRow& row : replica.members()) members.push_back(member_json(row));
    Json json{{"term", replica.term},
              {"voted_for", replica.voted_for.value()},
              {"first_index", replica.log.empty() ? 0 : replica.base.index.value() + 1},
              {"last_index", replica.last_index()},
              {"last_term", replica.last_term()},
              {"commit", std::min(replica.commit, replica.last_index())},
              {"members", std::move(members)}};
    if (replica.base.index == dunlin::LogIndex{}) return json;
    Json leases = Json::array();
    for (const dunlin::ledger::LeaseRow& row : replica.leases) {
        leases.push_back({{"name", dunlin::ledger::text_of(row.name)},
                          {"token", row.token},
                          {"holder", row.holder},
                          {"holder_epoch", row.holder_epoch},
                          {"deadline_us", row.deadline}});
    }
    json["snapshot"] = {{"index", replica.base.index.value()},
                        {"term", replica.base.term.value()},
                        {"cluster_time_us", replica.cluster_time},
                        {"leases", std::move(leases)},
                        {"keys", replica.keys},
                        {"sessions", replica.sessions}};
    if (replica.grants_after != 0) json["snapshot"]["grants_after_s"] = replica.grants_after;
    return json;
}

Json contents_json(const JournalContents& contents) {
    Json json{{"outbox", outbox_json(contents)},
              {"subscriptions", subscriptions_json(contents)},
              {"inbox", inbox_json(contents)},
              {"idempotency_keys", keys_json(contents)},
              {"fence_floors", fences_json(contents)}};
    if (contents.replica.present) json["replica"] = replica_json(contents.replica);
    return json;
}

}  // namespace

Json journal_json(const std::string& path, const JournalInspection& inspection) {
    Json json{{"journal", path},
              {"integrity", integrity_of(inspection.verdict)},
              {"in_use", inspection.in_use},
              {"bytes", inspection.file_bytes}};
    if (inspection.verdict == JournalInspection::Verdict::torn_tail)
        json["torn"] = {{"offset", inspection.torn_offset}, {"bytes", inspection.torn_bytes}};
    if (inspection.damage) {
        const JournalInspection::Damage& damage = *inspection.damage;
        json["damage"] = {{"offset", damage.offset}, {"bank", damage.bank}, {"where", damage.sequence == 0 ? "header" : "record"}};
        if (damage.sequence != 0) json["damage"]["record"] = damage.sequence;
        if (damage.malformed) json["damage"]["malformed"] = true;
    }
    json["banks"] = banks_json(inspection);
    if (!inspection.contents) return json;
    const JournalContents& contents = *inspection.contents;
    json["format_version"] = contents.format.version;
    json.update(names_json(contents));
    json["last_record"] = inspection.last_sequence;
    json["used_bytes"] = inspection.used_bytes;
    json["capacity_bytes"] = inspection.bank_bytes - dunlin::journal::kHeaderSectorBytes;
    json["records"] = records_json(contents);
    json.update(contents_json(contents));
    return json;
}

}  // namespace dunlin_tool

#pragma once

#include "campaign.hpp"

#include <string>

namespace dunlin::sim {

// What was done and what was checked, as a table for people.
void print_table(const CampaignReport& report);
void print_json(const CampaignReport& report, const std::string& replay);
// What went wrong in one world: invariants, moments, the last events, and the command that replays it.
void print_failure(const RunReport& report, const std::string& replay);
// The most memory that this process ever had, program included: with one world at a time, a bound for a world's.
void print_memory();

}  // namespace dunlin::sim

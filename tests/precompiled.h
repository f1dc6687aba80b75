// Headers every test includes; compiled once per test program.
#pragma once
#include <gtest/gtest.h>

#include "../cmake/precompiled.h"

"""One event of two stations in the text formats that people have: each is made up after the format's description."""


def placed(width, **fields):
    """A line with texts at columns, `c14=...` at the fourteenth."""
    line = [" "] * width
    for name, text in fields.items():
        start = int(name[1:]) - 1
        line[start : start + len(text)] = text
    return "".join(line)


# HypoDD
PHA_HEAD = "# 2020  3  5 10 59 57.50   46.5000    7.2500    8.00  2.1  0.50  0.80  0.10      "

# hypoinverse
ARC_SUMMARY = placed(
    164,
    c1="202003051059",
    c13="5750",
    c17="46",
    c20="3000",
    c24="  7",
    c27="E",
    c28="1500",
    c32="  800",
    c71="190",
    c86="  50",
    c90="  80",
    c101=" 30.",
    c137="      4711",
    c147="L",
    c148="210",
    c151="  40",
)
ARC_A = placed(
    120, c1="AAAA ", c6="XX", c10="HHZ", c14="IP", c16="U", c17="1", c18="202003051100", c30="  225", c35="  12"
)
ARC_A_S = placed(120, c1="AAAA ", c6="XX", c10="HHN", c17="4", c18="202003051100", c42="  575", c47="ES", c50="2")
ARC_B = placed(
    120, c1="BBB  ", c6="XX", c10="HHZ", c14=" P", c16="-", c17="0", c18="202003051100", c30=" 3.50", c55="   1234"
)
ARC_END = placed(72, c63="      4711")

# HYPO71
HYPO71_SUMMARY = "200305 1059 57.50 46 30.00   7E15.00   8.00   2.10  2 180  5.0 0.10  0.5  0.8 HYPO71_B"
HYPO71_A = placed(75, c1="AAAA", c5="IPU1", c10="2003051100", c20=" 2.25", c32=" 5.75", c37="ES 2")
HYPO71_B = placed(75, c1="BBB ", c5=" P-0", c10="2003051100", c20="  350")
HYPO71_END = " " * 17 + "10"

# Pairs of CSV tables
GAMMA = {
    "gamma_events.csv": "time,magnitude,sigma_time,event_index,gamma_score,longitude,latitude,depth(m)\n"
    "2020-03-05T10:59:57.500,2.1,0.1,0,9.5,7.25,46.5,8000\n",
    "gamma_picks.csv": "station_id,phase_time,phase_type,phase_score,phase_amplitude,event_index,gamma_score\n"
    "XX.AAAA..HH,2020-03-05T11:00:02.250,p,0.9,1e-6,0,1.0\n"
    "XX.AAAA..HH,2020-03-05T11:00:05.750,s,0.8,1e-6,0,1.0\n"
    "XX.BBB..HH,2020-03-05T11:00:03.500,P,0.7,1e-6,0,1.0\n"
    "XX.BBB..HH,2020-03-05T14:00:03.500,P,0.7,1e-6,-1,-1.0\n",
}
PYOCTO = {
    "events.csv": "idx,time,x,y,z,picks,latitude,longitude,depth\n7,1583405997.5,1.0,2.0,8.0,3,46.5,7.25,8.0\n",
    "assignments.csv": "event_idx,pick_idx,residual,station,phase,time,probability\n"
    "7,0,0.05,XX.AAAA.,P,1583406002.25,0.9\n7,1,0.01,XX.AAAA.,S,1583406005.75,0.9\n7,2,-0.1,BBB,P,1583406003.5,0.9\n",
}

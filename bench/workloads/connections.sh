# From one connection to 10,000.
peers="floor mhd nginx go svc"
connections="1 16 64 256 1000 10000"
rounds=3
